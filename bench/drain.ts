import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { KubeClient } from '../activities/adapters/kube-client.js';
import { SshShell } from '../activities/adapters/ssh-shell.js';
import { cordon, uncordon } from '../activities/cordon.js';
import { drainPass } from '../activities/drain.js';
import { listAll } from '../activities/kube/objects.js';
import type { KubeApi } from '../activities/ports/kube-api.js';
import { loadConfig } from '../config/load.js';
import type { ClusterSpec } from '../domain/cluster.js';
import type { LabCluster } from '../lab/index.js';
import { BUSYBOX } from '../lab/images.js';
import { cachePath } from '../lab/paths.js';
import { machine, median, say, seconds, table, withCluster } from './support.js';

const PODS_WANTED = 30;
const IMAGE = `registry.k8s.io/${BUSYBOX.name}:${BUSYBOX.tag}`;

/** 10 Deployments of 3, each with a budget of one: every drain meets refusals. */
const manifests = Array.from({ length: PODS_WANTED / 3 }, (_, i) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: load-${i}, namespace: load}
spec:
  replicas: 3
  selector: {matchLabels: {app: load-${i}}}
  template:
    metadata: {labels: {app: load-${i}}}
    spec:
      terminationGracePeriodSeconds: 30
      containers: [{name: main, image: "${IMAGE}", command: [sh, -c, "trap 'exit 0' TERM; sleep 1000000 & wait"], resources: {requests: {cpu: 1m, memory: 4Mi}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: load-${i}, namespace: load}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: load-${i}}}}
`).join('---');

interface Drain {
  readonly by: 'drydock' | 'kubectl';
  readonly node: string;
  readonly seconds: number;
  readonly evictions: number;
  readonly refused: number;
  readonly requests: number;
}

/** A worker with 30 pods is drained by drydock's own code and by kubectl, in turn, on one cluster, so that each meets both workers. */
export async function benchDrain(rounds = 3): Promise<{ json: object; text: string }> {
  const before = machine();
  const drains = await withCluster('bt', 2, false, (cluster) => alternate(cluster, rounds));
  const of = (by: Drain['by'], what: 'seconds' | 'evictions' | 'refused' | 'requests'): number => median(drains.filter((drain) => drain.by === by).map((drain) => drain[what]));
  const json = { bench: 'drain', pods: PODS_WANTED, machine: { before, after: machine() }, drains };
  const text = [
    table([['round', 'by', 'seconds', 'evictions', 'refused', 'requests'], ...drains.map((drain, i) => [i + 1, drain.by, drain.seconds, drain.evictions, drain.refused, drain.requests])]),
    '', table([['medians', 'drydock', 'kubectl'], ...(['seconds', 'evictions', 'refused', 'requests'] as const).map((what) => [what, of('drydock', what), of('kubectl', what)])]),
  ].join('\n');
  return { json, text };
}

async function alternate(cluster: LabCluster, rounds: number): Promise<Drain[]> {
  const { spec } = await loadConfig(cluster.config);
  const shell = new SshShell();
  const kube = new KubeClient(shell);
  const [a = '', b = ''] = cluster.nodes.filter(({ role }) => role === 'worker').map(({ name }) => name);
  const kubectl = (args: readonly string[], input?: string) => execa(cachePath('bin', `k8s-${cluster.version}`, 'kubectl'), ['--kubeconfig', cluster.kubeconfig, ...args], { ...(input === undefined ? {} : { input }) });
  try {
    await kubectl(['create', 'namespace', 'load']);
    await kubectl(['cordon', b]);
    await kubectl(['apply', '-f', '-'], manifests);
    await settled(kube, spec);
    await kubectl(['uncordon', b]);
    const drains: Drain[] = [];
    for (let round = 0; round < rounds * 2; round++) {
      const node = round % 2 === 0 ? a : b;
      // a: drydock, b: kubectl, a: kubectl, b: drydock, ...
      const by = [0, 3].includes(round % 4) ? 'drydock' : 'kubectl';
      say(`round ${round + 1}: ${by} drains ${node}`);
      drains.push(by === 'drydock' ? await byDrydock(kube, spec, node) : await byKubectl(kubectl, node));
      await settled(kube, spec);
      if (by === 'drydock') await uncordon(kube, spec, node);
      else await kubectl(['uncordon', node]);
    }
    return drains;
  } finally {
    await shell.close();
  }
}

async function byDrydock(kube: KubeApi, spec: ClusterSpec, node: string): Promise<Drain> {
  const counted = { requests: 0, evictions: 0, refused: 0 };
  const counting: KubeApi = {
    request: async (cluster, request) => {
      counted.requests++;
      const eviction = request.path.endsWith('/eviction');
      try {
        const answer = await kube.request<never>(cluster, request);
        if (eviction) counted.evictions++;
        return answer;
      } catch (error) {
        if (eviction) counted.refused++;
        throw error;
      }
    },
    watch: (cluster, path, query, onEvent, signal) => {
      counted.requests++;
      return kube.watch(cluster, path, query, onEvent, signal);
    },
  };
  const began = Date.now();
  await cordon(counting, spec, node, 'bench');
  for (let known = [] as Awaited<ReturnType<typeof drainPass>>['blockers']; ; ) {
    const report = await drainPass(counting, spec, { node, rules: spec.drain, known, passSeconds: 60 }, new AbortController().signal, () => undefined);
    if (report.drained) break;
    known = report.blockers;
  }
  return { by: 'drydock', node, seconds: seconds(Date.now() - began), ...counted };
}

async function byKubectl(kubectl: (args: readonly string[]) => Promise<{ stdout?: unknown; stderr?: unknown }>, node: string): Promise<Drain> {
  const began = Date.now();
  const { stdout, stderr } = await kubectl(['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force', '--timeout=600s', '-v=6']);
  const took = Date.now() - began;
  const log = `${String(stdout)}\n${String(stderr)}`;
  const answers = log.split('\n').filter((line) => /round_trippers|verb="?(GET|POST|PATCH)|"Response"/.test(line) && /status="?\d+|\b\d{3} [A-Z]/.test(line));
  const evictions = answers.filter((line) => line.includes('/eviction'));
  const refused = evictions.filter((line) => /\b429\b/.test(line)).length;
  return { by: 'kubectl', node, seconds: seconds(took), evictions: evictions.length - refused, refused, requests: answers.length };
}

/** All 30 run, and nothing is ending any more. */
async function settled(kube: KubeApi, spec: ClusterSpec): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const { items } = await listAll<{ metadata?: { namespace?: string; deletionTimestamp?: string }; status?: { phase?: string; containerStatuses?: { ready: boolean }[] } }>(kube, spec, '/api/v1/namespaces/load/pods');
    if (items.length === PODS_WANTED && items.every((pod) => pod.metadata?.deletionTimestamp === undefined && pod.status?.containerStatuses?.every(({ ready }) => ready))) return sleep(3_000);
    await sleep(1_000);
  }
  throw new Error('the pods do not come to rest');
}
