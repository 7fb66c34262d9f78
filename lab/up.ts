import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { exists } from './artefact.js';
import { build } from './build.js';
import { NAME_RULE, planNodes, type LabCluster, type LabSpec } from './cluster.js';
import { register, registeredClusters, writeClusterFiles } from './cluster-files.js';
import { containersOf, networksOf } from './docker.js';
import { usage } from './error.js';
import { needDocker, raiseInotify } from './host.js';
import { formCluster, settled } from './kubeadm.js';
import { createNetwork } from './network.js';
import { bootNodes, installPackages, startLoadBalancer } from './nodes.js';
import { createProgress, type OnProgress, type Progress } from './progress.js';
import { ensureServer } from './services.js';
import { labSsh, sshKey } from './ssh.js';
import { resolveVersion } from './versions.js';
import { LabError } from './error.js';

/** Refuses what cannot be made, before anything is. */
function checkSpec({ name, controlPlanes = 1, workers = 2 }: LabSpec): void {
  if (!NAME_RULE.test(name)) throw usage(`cluster name ${JSON.stringify(name)}`, 'Take a letter, then letters and digits, at most 15, all small.');
  if (![1, 2, 3].includes(controlPlanes)) throw usage(`--control-planes ${controlPlanes}`, 'Take 1, 2 or 3.');
  if (!Number.isInteger(workers) || workers < 0 || workers > 50) throw usage(`--workers ${workers}`, 'Take a number from 0 to 50.');
}

async function checkFree(name: string, dir: string): Promise<void> {
  const known = (await registeredClusters()).get(name);
  const inUse = known ?? ((await containersOf(name)).length + (await networksOf(name)).length > 0 ? 'Docker' : undefined);
  if (inUse !== undefined) throw usage(`a lab cluster named ${name} exists already (${inUse})`, `Take another name, or remove it: drydock lab down ${name}`);
  if (await exists(dir)) throw usage(`${dir} is in the way`, 'Move it, or give the cluster another name.');
}

/** Makes a cluster and returns when every node and system pod is Ready. What is missing in the cache is built first. */
export async function labUp(spec: LabSpec & { onProgress?: OnProgress }): Promise<LabCluster> {
  checkSpec(spec);
  const version = resolveVersion(spec.version);
  const others = (spec.with ?? []).map(resolveVersion);
  const progress = createProgress(spec.onProgress);
  await needDocker(progress);
  const dir = resolve(spec.folder ?? '.', '.lab', spec.name);
  await checkFree(spec.name, dir);
  await build([version, ...others], progress);
  await raiseInotify(progress);
  await register(spec.name, dir);
  try {
    return await make(spec, version, dir, progress);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    throw new LabError(error.message, `${error.next} The cluster is left as it is: look at it, then drydock lab down ${spec.name}`, error.exitCode);
  }
}

async function make(spec: LabSpec, version: string, dir: string, progress: Progress): Promise<LabCluster> {
  const { name, controlPlanes = 1, workers = 2 } = spec;
  const network = await createNetwork(name);
  await ensureServer(progress);
  await mkdir(dir, { recursive: true });
  const cluster: LabCluster = {
    name,
    version,
    dir,
    kubeconfig: join(dir, 'kubeconfig'),
    config: join(dir, 'drydock.yaml'),
    sshKey: (await sshKey(progress)).path,
    knownHosts: join(dir, 'known_hosts'),
    endpoint: `${network}.${controlPlanes > 1 ? 10 : 11}:6443`,
    nodes: planNodes(name, network, controlPlanes, workers),
    startedAt: new Date().toISOString(),
  };
  await writeFile(cluster.knownHosts, '');
  if (controlPlanes > 1) await startLoadBalancer(cluster, network);
  await progress.step(`${cluster.nodes.length} nodes: booting`, () => bootNodes(cluster, network, progress));
  await progress.step(`kubeadm, kubelet and kubectl ${version}: installing`, () => installPackages(cluster));
  await formCluster(cluster, progress);
  await progress.step('waiting until all nodes and system pods are Ready', () => settled(cluster));
  for (const node of cluster.nodes) {
    const answer = await labSsh(cluster, node.name, 'true', { timeoutSeconds: 15 });
    if (answer.exitCode !== 0) throw new LabError(`ssh to ${node.name} fails: ${answer.stderr}`, 'Look at it with `docker exec`.');
  }
  await writeClusterFiles(cluster);
  return cluster;
}
