import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Common, readConfig } from '../context.js';
import { TASK_QUEUE } from '../../workflows/messages.js';
import { EXIT, Exit } from '../exit.js';

interface Options extends Common {
  readonly clusterConfig?: readonly string[];
  readonly address?: string;
  readonly namespace?: string;
}

/** A worker in the foreground, for a lasting Temporal server. Ends with SIGTERM or Ctrl-C; what it was doing goes on with the next worker. */
export async function worker(options: Options): Promise<number> {
  const first = await readConfig(options.clusterConfig?.[0] ? { config: options.clusterConfig[0] } : options);
  for (const file of options.clusterConfig ?? []) await readConfig({ config: file });
  const files = options.clusterConfig?.map((file) => resolve(file)) ?? [first.path];
  const address = options.address ?? first.temporal?.address;
  if (!address) throw new Exit(EXIT.usage, 'Which Temporal server? Give --address, or set temporal.address in the configuration file.');
  const tls = first.temporal?.tls;
  const args = [
    '--max-old-space-size=256', '--max-semi-space-size=4', fileURLToPath(new URL('../../worker/main.js', import.meta.url)), '--address', address, '--namespace', options.namespace ?? first.temporal?.namespace ?? 'default', '--task-queue', TASK_QUEUE,
    ...files.flatMap((file) => ['--config', file]),
    ...pair('--tls-ca', tls?.ca), ...pair('--tls-cert', tls?.cert), ...pair('--tls-key', tls?.key), ...pair('--tls-server-name', tls?.serverName), ...pair('--api-key-file', first.temporal?.apiKeyFile),
  ];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  // A signal ends a worker that still loads; one that polls ends in order.
  return new Promise((done) => child.once('exit', (code, signal) => done(code === 0 || signal === 'SIGTERM' || signal === 'SIGINT' ? EXIT.done : EXIT.defect)));
}

const pair = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [name, value]);
