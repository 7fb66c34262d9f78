import { NAME_RULE } from './cluster.js';
import { registeredClusters, removeClusterFiles } from './cluster-files.js';
import { containersOf, docker, networksOf, tryDocker } from './docker.js';
import { usage } from './error.js';
import { stopOwnDockerd } from './host.js';
import { withLock } from './lock.js';
import { createProgress, type OnProgress, type Progress } from './progress.js';
import { removeNetwork } from './network.js';
import { ensureServer, stopServer } from './services.js';

const dockerAnswers = async (): Promise<boolean> => (await tryDocker(['info'], 20).catch(() => undefined))?.exitCode === 0;

async function removeFromDocker(cluster: string | undefined): Promise<void> {
  const containers = await containersOf(cluster);
  if (containers.length > 0) await docker('removing containers', ['rm', '-f', '-v', ...containers], 180);
  for (const network of await networksOf(cluster)) await removeNetwork(network);
}

/** Stops what serves clusters when none is left; dockerd only where the lab started it. */
async function stopServicesIfLast(progress: Progress): Promise<void> {
  if ((await registeredClusters()).size > 0) return ensureServer(progress);
  if (await stopServer()) progress.say('package server stopped');
  if (await stopOwnDockerd()) progress.say('dockerd stopped, which the lab had started');
}

/** Removes a cluster: containers, volumes, network, files. Nothing happens when there is none. */
export async function labDown(name: string, onProgress?: OnProgress): Promise<void> {
  if (!NAME_RULE.test(name)) throw usage(`cluster name ${JSON.stringify(name)}`, 'See `drydock lab list`.');
  await remove([name], name, createProgress(onProgress));
}

/** Removes every cluster of the lab, those half made too. */
export async function labDownAll(onProgress?: OnProgress): Promise<void> {
  await remove([...(await registeredClusters()).keys()], undefined, createProgress(onProgress));
}

async function remove(names: string[], label: string | undefined, progress: Progress): Promise<void> {
  await withLock('down', progress, async () => {
    const running = await dockerAnswers();
    await progress.step(`removing ${label ?? 'all lab clusters'}`, async () => {
      if (running) await removeFromDocker(label);
      for (const name of names) await removeClusterFiles(name);
    });
    if (running) await stopServicesIfLast(progress);
    else await stopServer();
  });
}
