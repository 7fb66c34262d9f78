import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { docker, networksOf } from './docker.js';
import { LabError } from './error.js';
import { withLock } from './lock.js';
import { cachePath, serverPort } from './paths.js';
import { findDetached, logFile, startDetached, stopDetached } from './processes.js';
import type { Progress } from './progress.js';
import { waitFor } from './wait.js';

const NAME = 'server';

/** Gateway addresses of all lab networks: this machine, as the nodes see it. */
async function gateways(): Promise<string[]> {
  const networks = await networksOf();
  if (networks.length === 0) return [];
  const text = await docker('gateways of the lab networks', ['network', 'inspect', '--format', '{{range .IPAM.Config}}{{.Gateway}}{{end}}', ...networks]);
  return text.split('\n').filter(Boolean);
}

const answersAt = async (address: string): Promise<boolean> => {
  const answer = await fetch(`http://${address}:${serverPort()}/v2/`, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
  return answer?.headers.get('x-drydock-lab') === '1';
};

/** The package and image server, on loopback and on every lab network's gateway: started or told of new networks. */
export const ensureServer = (progress: Progress): Promise<void> =>
  withLock('server', progress, async () => {
    const addresses = ['127.0.0.1', ...(await gateways())];
    const file = cachePath('run', 'addresses.json');
    await mkdir(cachePath('run'), { recursive: true });
    await writeFile(file, JSON.stringify(addresses));
    const running = await findDetached(NAME);
    if (running) process.kill(running.pid, 'SIGHUP');
    else await startDetached(NAME, process.execPath, [fileURLToPath(new URL('server-main.js', import.meta.url)), file]);
    for (const address of addresses) await serves(address);
  });

async function serves(address: string): Promise<void> {
  try {
    await waitFor(`package server on ${address}:${serverPort()}`, 15, async () => ((await answersAt(address)) ? true : undefined));
  } catch {
    const log = (await readFile(logFile(NAME), 'utf8').catch(() => '')).trim().split('\n').slice(-3).join('\n    ');
    throw new LabError(`the package server does not answer on ${address}:${serverPort()}\n    ${log}`, 'If the port is taken, name another one with DRYDOCK_LAB_PORT.', 2);
  }
}

export const stopServer = (): Promise<boolean> => stopDetached(NAME, 5);
