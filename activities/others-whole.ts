import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { type ClusterSpec, isControlPlane } from '../domain/cluster.js';
import { known, type Answer, type KubeadmFacts, unknown } from '../domain/facts.js';
import { etcdWithout } from '../domain/health.js';
import { etcdFacts } from './etcd-facts.js';
import { StepFailure } from './failure.js';
import { isTransient } from './kube/failure-of.js';
import { readKubeadm } from './kube/kubeadm-facts.js';
import { isNodeReady, isPodReady, listAll, NODES } from './kube/objects.js';
import { sleep } from './kube/watch-until.js';
import type { KubeApi } from './ports/kube-api.js';
import type { RemoteShell } from './ports/remote-shell.js';

/** Between the two answers that must agree: a cordon and a restart are seen late, by seconds. */
const AGAIN_MS = 5_000;

/**
 * Before a control-plane node is taken: are all the others there, and is what is left a majority of etcd? Counts a cordon by anybody, because it is the
 * earliest sign that another node is about to go. Asked twice in a row. Returns why not at the end of `waitSeconds`.
 */
export async function waitForOthers(
  ports: { shell: RemoteShell; kube: KubeApi },
  spec: ClusterSpec,
  { next, waitSeconds }: { readonly next: string; readonly waitSeconds: number },
  signal: AbortSignal,
  progress: (text: string) => void,
): Promise<{ whole: boolean; why: string }> {
  if (spec.nodes.filter(isControlPlane).length <= 1) return { whole: true, why: '' };
  const deadline = Date.now() + waitSeconds * 1000;
  let answers = 0;
  for (;;) {
    const why = await othersMissing(ports, spec, next, signal);
    signal.throwIfAborted();
    answers = why === undefined ? answers + 1 : 0;
    if (answers === 2) return { whole: true, why: '' };
    if (why !== undefined && Date.now() >= deadline) return { whole: false, why };
    progress(why ?? 'the other control-plane nodes are whole, asking once more');
    await sleep(AGAIN_MS, signal);
  }
}

async function othersMissing({ shell, kube }: { shell: RemoteShell; kube: KubeApi }, spec: ClusterSpec, next: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const [nodes, pods] = await Promise.all([
      listAll<V1Node>(kube, spec, NODES, {}, signal),
      listAll<V1Pod>(kube, spec, '/api/v1/namespaces/kube-system/pods', { labelSelector: 'tier=control-plane' }, signal),
    ]);
    return nodesMissing(spec, nodes.items, pods.items, next) ?? (await etcdMissing(shell, kube, spec, pods.items, next, signal));
  } catch (error) {
    if (!signal.aborted && (isTransient(error) || (error instanceof StepFailure && error.kind === 'SnapshotFailed'))) return (error as Error).message;
    throw error;
  }
}

function nodesMissing(spec: ClusterSpec, nodes: readonly V1Node[], pods: readonly V1Pod[], next: string): string | undefined {
  const labelled = nodes.filter((node) => 'node-role.kubernetes.io/control-plane' in (node.metadata?.labels ?? {})).map((node) => node.metadata?.name ?? '');
  const others = new Set([...spec.nodes.filter(isControlPlane).map(({ name }) => name), ...labelled]);
  others.delete(next);
  for (const name of others) {
    const node = nodes.find((candidate) => candidate.metadata?.name === name);
    if (!node) return `the cluster has no node ${name}`;
    if (!isNodeReady(node)) return `${name} is not Ready`;
    if (node.spec?.unschedulable) return `${name} is cordoned`;
    const server = pods.find((pod) => pod.spec?.nodeName === name && pod.metadata?.labels?.['component'] === 'kube-apiserver');
    if (!server || server.metadata?.deletionTimestamp !== undefined || !isPodReady(server)) return `the API server on ${name} is not ready`;
  }
  return undefined;
}

async function etcdMissing(shell: RemoteShell, kube: KubeApi, spec: ClusterSpec, pods: readonly V1Pod[], next: string, signal: AbortSignal): Promise<string | undefined> {
  const kubeadm: Answer<KubeadmFacts> = await readKubeadm(kube, spec, signal).then(known, (error: Error) => {
    if (signal.aborted || isTransient(error)) throw error;
    return unknown(error.message);
  });
  const etcd = await etcdFacts(shell, spec, pods, kubeadm);
  if (etcd.topology === 'external') return undefined;
  const { healthy, why } = etcdWithout(etcd.members, next);
  return healthy ? undefined : why;
}
