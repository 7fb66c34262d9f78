/** What must be true of a cluster that was upgraded, each asked of the cluster or its nodes themselves. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1DaemonSet, V1Deployment, V1Pod, V1StatefulSet } from '@kubernetes/client-node';
import { z } from 'zod';
import { labProbe, type LabCluster } from '../../lab/index.js';
import { isCordoned, isReady, KubeReader, onNode, packagesOf, recordsOf, startedUnits } from './lab-kube.js';
import { HOME } from './lab-run.js';

export const workersOf = (cluster: LabCluster): string[] => cluster.nodes.filter(({ role }) => role === 'worker').map(({ name }) => name);
export const firstControlPlane = (cluster: LabCluster): string => cluster.nodes.find(({ role }) => role === 'control-plane')?.name ?? '';

/** Kubelets, static pods and add-ons: the very images that this version's own kubeadm names. */
export async function assertAllAt(cluster: LabCluster, version: string): Promise<void> {
  const kube = new KubeReader(cluster);
  try {
    assert.equal((await kube.get<{ gitVersion: string }>('/version')).gitVersion, `v${version}`);
    const nodes = await kube.nodes();
    assert.deepEqual(nodes.map((node) => [node.metadata?.name, node.status?.nodeInfo?.kubeletVersion, isReady(node)]).sort(), cluster.nodes.map(({ name }) => [name, `v${version}`, true]).sort());
    const images = (await onNode(cluster, firstControlPlane(cluster), `kubeadm config images list --kubernetes-version v${version} 2>/dev/null`)).trim().split('\n');
    const running = (await kube.pods('kube-system')).flatMap((pod) => (pod.spec?.containers ?? []).map(({ image = '' }) => ({ pod: pod.metadata?.name, image })));
    const repository = (image: string): string => image.replace(/:[^:/]+$/, '');
    for (const wanted of images.filter((image) => !/\/pause:/.test(image))) {
      const pods = running.filter(({ image }) => repository(image) === repository(wanted));
      assert.ok(pods.length > 0, `nothing runs ${repository(wanted)}`);
      assert.deepEqual(pods.filter(({ image }) => image !== wanted), [], `all must run ${wanted}`);
    }
    for (const component of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'etcd', 'coredns']) assert.ok(images.some((image) => image.includes(`/${component}`)), component);
    if (version.startsWith('1.37.')) assert.ok(images.some((image) => /\/etcd:3\.7\.0(-|$)/.test(image)), images.join(' '));
  } finally {
    kube.close();
  }
}

/** kubeadm, kubelet and kubectl at the version, and held as they were. */
export async function assertPackages(cluster: LabCluster, version: string): Promise<void> {
  for (const { name } of cluster.nodes) {
    const { versions, held } = await packagesOf(cluster, name);
    for (const [pkg, found] of Object.entries(versions)) assert.ok(found.startsWith(`${version}-`), `${pkg} on ${name} is ${found}`);
    assert.deepEqual(held, ['kubeadm', 'kubectl', 'kubelet'], `holds on ${name}`);
  }
}

export async function assertSchedulable(cluster: LabCluster, except: readonly string[] = []): Promise<void> {
  const kube = new KubeReader(cluster);
  const cordoned = (await kube.nodes()).filter(isCordoned).map((node) => node.metadata?.name ?? '').sort();
  kube.close();
  assert.deepEqual(cordoned, [...except].sort());
}

/** How complete each workload of a namespace is: `Deployment web-a: 4/4`. */
export async function completeness(cluster: LabCluster, namespace = 'shop'): Promise<string[]> {
  const kube = new KubeReader(cluster);
  const list = async <T>(kind: string): Promise<T[]> => (await kube.get<{ items: T[] }>(`/apis/apps/v1/namespaces/${namespace}/${kind}`)).items;
  try {
    const deployments = await list<V1Deployment>('deployments');
    const statefulSets = await list<V1StatefulSet>('statefulsets');
    const daemonSets = await list<V1DaemonSet>('daemonsets');
    return [
      ...deployments.map((item) => `Deployment ${item.metadata?.name}: ${item.status?.readyReplicas ?? 0}/${item.spec?.replicas ?? 1}`),
      ...statefulSets.map((item) => `StatefulSet ${item.metadata?.name}: ${item.status?.readyReplicas ?? 0}/${item.spec?.replicas ?? 1}`),
      ...daemonSets.map((item) => `DaemonSet ${item.metadata?.name}: ${item.status?.numberReady ?? 0}/${item.status?.desiredNumberScheduled ?? 0}`),
    ].sort();
  } finally {
    kube.close();
  }
}

/** When each database volume was first written: the same for ever, or data was lost. */
export async function databaseBirths(cluster: LabCluster): Promise<string[]> {
  return Promise.all(workersOf(cluster).map((node) => onNode(cluster, node, 'cat /var/lib/lab-volumes/db/born')));
}

/** Pods of the cluster that are neither ready nor finished. */
export async function unwellPods(cluster: LabCluster): Promise<string[]> {
  const kube = new KubeReader(cluster);
  const { items } = await kube.get<{ items: V1Pod[] }>('/api/v1/pods');
  kube.close();
  return items.filter((pod) => !isReady(pod) && pod.status?.phase !== 'Succeeded').map((pod) => `${pod.metadata?.namespace}/${pod.metadata?.name} ${pod.status?.phase}`);
}

/** The newest snapshot in the backup folder has the sha256 that its metadata says, and the run's id. */
export function assertSnapshot(cluster: LabCluster, run: string): void {
  const folder = join(cluster.dir, 'backups');
  const files = readdirSync(folder).sort();
  assert.deepEqual(files.filter((name) => name.endsWith('.part')), []);
  const meta = files.filter((name) => name.endsWith('.db.json')).map((name) => ({ name, ...(JSON.parse(readFileSync(join(folder, name), 'utf8')) as { sha256: string; run: string; bytes: number; keys: number; revision: number }) })).filter((each) => each.run === run);
  assert.ok(meta.length >= 1, `no metadata of run ${run} in ${files.join(', ')}`);
  for (const each of meta) {
    const path = join(folder, each.name.replace(/\.json$/, ''));
    const content = readFileSync(path);
    assert.equal(createHash('sha256').update(content).digest('hex'), each.sha256, path);
    assert.equal(content.length, each.bytes);
    assert.ok(each.keys > 0 && each.revision > 0);
  }
}

/** Against the published JSON Schema, not against our own types. */
export function assertFitsSchema(what: 'status' | 'plan', value: unknown): void {
  const schema = JSON.parse(readFileSync(join(HOME, `docs/schema/${what}.schema.json`), 'utf8')) as Parameters<typeof z.fromJSONSchema>[0];
  const result = z.fromJSONSchema(schema).safeParse(value);
  assert.ok(result.success, `${what} --json does not fit docs/schema/${what}.schema.json: ${result.error?.message}`);
}

/** The commands that disturb a node, in their order. */
export const disruptiveSteps = (cluster: LabCluster, node: string): string[] => ['kubeadm-package', `kubeadm-upgrade-${node === firstControlPlane(cluster) ? 'apply' : 'node'}`, 'kubelet-package', 'kubelet-restart'];

/**
 * Each disruptive command ran exactly once in this run, by three witnesses: the journal of systemd, dpkg's own log, and the records. With `twice`, the named
 * steps ran twice (a node that restarted in the middle).
 */
export async function assertRanOnce(cluster: LabCluster, run: string, twice: Readonly<Record<string, readonly string[]>> = {}): Promise<void> {
  for (const { name: node } of cluster.nodes) {
    const units = (await startedUnits(cluster, node)).filter(({ run8 }) => run.startsWith(run8));
    for (const step of disruptiveSteps(cluster, node)) {
      const times = units.filter((unit) => unit.step === step).length;
      assert.equal(times, twice[node]?.includes(step) ? 2 : 1, `the journal of ${node} shows ${step} started ${times} times: ${units.map((unit) => `${unit.step}-${unit.attempt}`).join(', ')}`);
    }
    const { boot, records } = await recordsOf(cluster, node, run);
    const again = units.filter((unit, i) => units.findIndex((other) => other.step === unit.step && other.attempt === unit.attempt) !== i);
    assert.deepEqual(again, [], `units started twice on ${node}`);
    const expected = units.map(({ step, attempt }) => (attempt === 1 ? step : `${step}.${attempt}`)).sort();
    assert.deepEqual(records.map(({ name }) => name).sort(), expected, `records and journal of ${node} tell the same`);
    for (const record of records) {
      const rerun = twice[node]?.includes(record.name) ?? false;
      if (rerun) continue;
      assert.equal(record.code, 0, `${record.name} on ${node} ended with ${record.code}`);
      assert.ok((record.ended ?? 0) >= record.begun, `${record.name} on ${node} ended before it began`);
      if (twice[node] === undefined) assert.equal(record.boot, boot, `${record.name} on ${node} is of another boot`);
    }
  }
}

/** How often dpkg itself changed a package on a node. */
export async function packageChanges(cluster: LabCluster, node: string): Promise<Record<string, number>> {
  const text = await onNode(cluster, node, "grep -hoE ' upgrade (kubeadm|kubelet|kubectl):' /var/log/dpkg.log || true");
  const counts: Record<string, number> = { kubeadm: 0, kubelet: 0, kubectl: 0 };
  for (const [, name = ''] of text.matchAll(/upgrade (\w+):/g)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

export interface Probes {
  /** `web-a 0/1234 · dns 1/300`: failed of all. */
  readonly text: string;
  /** Failed share of all by target, 0 to 1. */
  readonly share: Readonly<Record<string, number>>;
  /** Each second in which something failed, by node and target: `16:20:31 t1-w1 dns 2`. */
  readonly moments: readonly string[];
}

/** What the probers on the nodes, and the one outside, saw since a moment. */
export async function probeFigures(cluster: LabCluster, sinceEpochSeconds: number): Promise<Probes> {
  const { targets } = await labProbe(cluster, sinceEpochSeconds);
  const text = Object.entries(targets).map(([name, { probes, failed }]) => `${name} ${failed}/${probes}`).join(' · ');
  const lines = await Promise.all(cluster.nodes.map(async ({ name }) => {
    const log = await onNode(cluster, name, "grep FAIL /var/log/prober/probes | sort | uniq -c || true");
    return log.split('\n').flatMap((line) => {
      const [times = '', epoch = '', , target = ''] = line.trim().split(' ');
      return target === '' || Number(epoch) < sinceEpochSeconds ? [] : [`${new Date(Number(epoch) * 1000).toISOString().slice(11, 19)} ${name} ${target} ${times}`];
    });
  }));
  return { text, share: Object.fromEntries(Object.entries(targets).map(([name, { probes, failed }]) => [name, failed / Math.max(1, probes)])), moments: lines.flat().sort() };
}
