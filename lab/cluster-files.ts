import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { LabCluster } from './cluster.js';
import { usage } from './error.js';
import { cachePath, serverPort } from './paths.js';

/** kubeadm's preflight checks that cannot pass in a container, or on cgroup v1. */
export const IGNORED_PREFLIGHT = ['SystemVerification', 'Swap', 'FileContent--proc-sys-net-bridge-bridge-nf-call-iptables'];

/** Where packages of a minor are, as nodes reach them. */
export const repositoryOf = (minor: string): string => `http://packages:${serverPort()}/v${minor}/`;

/** The drydock.yaml of a cluster. */
export function drydockYaml(cluster: LabCluster): string {
  return stringify({
    cluster: cluster.name,
    kubeconfig: './kubeconfig',
    ssh: { user: 'root', port: 22, identity: cluster.sshKey, knownHosts: './known_hosts' },
    nodes: cluster.nodes.map(({ name, ip, role }) => ({ name, host: ip, role })),
    packages: { repository: repositoryOf('{minor}') },
    upgrade: { ignorePreflightErrors: IGNORED_PREFLIGHT },
    // The lab's workload has pods with emptyDir data and one without a controller, to be drained like the rest.
    drain: { deleteEmptyDirData: true, evictUnmanaged: true },
    ready: { steady: '10s' },
    backup: { folder: './backups' },
  });
}

const registered = (name: string): string => cachePath('clusters', `${name}.json`);

/** Notes that a cluster is being made in this folder, so that `down` finds it even when `up` dies half way. */
export async function register(name: string, dir: string): Promise<void> {
  await mkdir(cachePath('clusters'), { recursive: true });
  await writeFile(registered(name), JSON.stringify({ name, dir }));
}

/** Writes what a user and the lab itself read later. */
export async function writeClusterFiles(cluster: LabCluster): Promise<void> {
  await writeFile(cluster.config, drydockYaml(cluster));
  await writeFile(join(cluster.dir, 'state.json'), `${JSON.stringify(cluster, null, 2)}\n`);
}

/** Folders of all clusters of this machine, by name; those half made too. */
export async function registeredClusters(): Promise<Map<string, string>> {
  const files = await readdir(cachePath('clusters')).catch((): string[] => []);
  const found = new Map<string, string>();
  for (const file of files.filter((name) => name.endsWith('.json')).toSorted()) {
    const { name, dir } = JSON.parse(await readFile(cachePath('clusters', file), 'utf8')) as { name: string; dir: string };
    found.set(name, dir);
  }
  return found;
}

/** A cluster that is up, by name. */
export async function labCluster(name: string): Promise<LabCluster> {
  const clusters = await registeredClusters();
  const dir = clusters.get(name);
  if (dir === undefined) {
    const names = [...clusters.keys()];
    throw usage(`there is no lab cluster named ${JSON.stringify(name)}`, names.length > 0 ? `There is: ${names.join(', ')}.` : 'Make one: drydock lab up NAME');
  }
  const text = await readFile(join(dir, 'state.json'), 'utf8').catch(() => undefined);
  if (text === undefined) throw usage(`lab cluster ${name} was never finished, or its folder ${dir} is gone`, `Remove what is left: drydock lab down ${name}`);
  return JSON.parse(text) as LabCluster;
}

/** Every cluster that is up. */
export async function labList(): Promise<LabCluster[]> {
  const loaded = await Promise.all([...(await registeredClusters()).keys()].map((name) => labCluster(name).catch(() => undefined)));
  return loaded.filter((cluster) => cluster !== undefined);
}

/** The cluster that a node belongs to. */
export async function clusterOfNode(node: string): Promise<LabCluster> {
  const clusters = await labList();
  const found = clusters.find(({ nodes }) => nodes.some(({ name }) => name === node));
  if (found) return found;
  const names = clusters.flatMap(({ nodes }) => nodes.map(({ name }) => name));
  throw usage(`no lab cluster has a node ${JSON.stringify(node)}`, names.length > 0 ? `There is: ${names.join(', ')}.` : 'Make a cluster: drydock lab up NAME');
}

/** Removes a cluster's files, and `.lab` too when it was the last in there. */
export async function removeClusterFiles(name: string): Promise<void> {
  const dir = (await registeredClusters()).get(name);
  if (dir !== undefined) {
    await rm(dir, { recursive: true, force: true });
    await rmdir(dirname(dir)).catch(() => undefined); // others are in there
  }
  await rm(registered(name), { force: true });
}
