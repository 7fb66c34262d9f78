import type { V1DaemonSet, V1Node, V1Pod } from '@kubernetes/client-node';
import type { ClusterSpec } from '../domain/cluster.js';
import { controllerOf, isMirror, isNodeReady, isPodReady, kubeletVersionOf, leaseRenewed, listAll, NODES, PODS, podName, podsOfNode } from './kube/objects.js';
import { watchUntil } from './kube/watch-until.js';
import type { KubeApi } from './ports/kube-api.js';

export interface NodeGateInput {
  readonly node: string;
  /** kubelet version that the node must report, without v. */
  readonly version: string;
  /** boot id or kubelet start that makes older Ready conditions void: the Ready condition must be renewed after this, ISO 8601. */
  readonly after: string;
  readonly steadySeconds: number;
  /** How long this attempt waits. */
  readonly waitSeconds: number;
  /** Pods that crash-looped before are not held against the upgrade, `namespace/name`. */
  readonly ignorePods: readonly string[];
}

export interface GateAnswer {
  readonly passed: boolean;
  /** What is still missing, one sentence; empty when passed. */
  readonly why: string;
}

/** A kubelet renews its lease each 10 s. */
const LEASE_MS = 15_000;

/**
 * Waits until a node is Ready at a version, for a while, with its DaemonSet and static pods ready, and its lease renewed meanwhile: a node that
 * stops is called Ready for most of a minute after. Evidence comes by watch on the node, a change of the verdict starts the steady time anew. Returns `passed: false` with the reason when `waitSeconds` are over.
 */
export async function waitForNode(kube: KubeApi, cluster: ClusterSpec, input: NodeGateInput, signal: AbortSignal, progress: (text: string) => void): Promise<GateAnswer> {
  const deadline = Date.now() + input.waitSeconds * 1000;
  let why = `no answer from the API server about ${input.node} yet`;
  let steady: { since: number; lease: number | undefined } | undefined;
  const passed = await watchUntil<V1Node, true>(
    kube,
    cluster,
    { path: NODES, query: { fieldSelector: `metadata.name=${input.node}` }, deadline, signal, onAway: (reason) => (why = reason ?? why) },
    async ([node], wakeAt) => {
      const missing = node ? nodeMissing(node, input) ?? (await podsMissing(kube, cluster, node, input, signal)) : `the cluster has no node ${input.node}`;
      if (missing !== undefined) {
        why = missing;
        steady = undefined;
        wakeAt(Date.now() + 1_000);
        progress(missing);
        return undefined;
      }
      steady ??= { since: Date.now(), lease: await leaseRenewed(kube, cluster, input.node, signal) };
      const left = steady.since + input.steadySeconds * 1000 - Date.now();
      if (left <= 0) {
        const lease = await leaseRenewed(kube, cluster, input.node, signal);
        if (lease !== undefined && lease !== steady.lease) return true;
        why = `Ready, but its kubelet has not renewed the node's lease for ${Math.round((Date.now() - steady.since) / 1000)} s`;
        progress(why);
        if (left <= -LEASE_MS) steady = undefined;
        wakeAt(Date.now() + 1_000);
        return undefined;
      }
      why = `Ready, to stay so for another ${Math.ceil(left / 1000)} s`;
      progress(why);
      wakeAt(Date.now() + Math.min(left, 2_000));
      return undefined;
    },
  );
  return passed ? { passed: true, why: '' } : { passed: false, why };
}

function nodeMissing(node: V1Node, input: NodeGateInput): string | undefined {
  const version = kubeletVersionOf(node);
  if (version !== input.version) return `the kubelet reports ${version}, wanted ${input.version}`;
  const condition = node.status?.conditions?.find((candidate) => candidate.type === 'Ready');
  if (!isNodeReady(node)) return `not Ready: ${condition?.reason ?? 'no Ready condition'}${condition?.message ? `, ${condition.message}` : ''}`;
  // A Ready written by the kubelet that was just replaced proves nothing.
  const heartbeat = new Date(condition?.lastHeartbeatTime ?? 0).getTime();
  if (heartbeat < new Date(input.after).getTime() - 1_000) return 'Ready, but not renewed since the kubelet restarted';
  return undefined;
}

async function podsMissing(kube: KubeApi, cluster: ClusterSpec, node: V1Node, input: NodeGateInput, signal: AbortSignal): Promise<string | undefined> {
  const [{ items }, sets] = await Promise.all([
    listAll<V1Pod>(kube, cluster, PODS, podsOfNode(input.node), signal),
    listAll<V1DaemonSet>(kube, cluster, '/apis/apps/v1/daemonsets', {}, signal),
  ]);
  const own = items.filter((pod) => isMirror(pod) || controllerOf(pod)?.kind === 'DaemonSet');
  const unready = own.filter((pod) => !isPodReady(pod) && !input.ignorePods.includes(podName(pod)));
  if (unready.length > 0) return `pods not ready on it: ${unready.slice(0, 3).map(podName).join(', ')}${unready.length > 3 ? ` and ${unready.length - 3} more` : ''}`;
  const lacking = sets.items.find((set) => lacksPods(set) && wants(set, node) && !own.some((pod) => pod.metadata?.namespace === set.metadata?.namespace && controllerOf(pod)?.name === set.metadata?.name));
  return lacking ? `DaemonSet ${lacking.metadata?.namespace}/${lacking.metadata?.name} lacks its pod` : undefined;
}

/** Runs somewhere, but not everywhere it should. */
const lacksPods = ({ status }: V1DaemonSet): boolean => (status?.currentNumberScheduled ?? 0) > 0 && (status?.currentNumberScheduled ?? 0) < (status?.desiredNumberScheduled ?? 0);

/** Surely for this node: by its selector and tolerations. One with an affinity is not judged. */
function wants(set: V1DaemonSet, node: V1Node): boolean {
  const { affinity, nodeSelector = {}, tolerations = [] } = set.spec?.template.spec ?? {};
  if (affinity?.nodeAffinity) return false;
  const labels = node.metadata?.labels ?? {};
  if (!Object.entries(nodeSelector).every(([key, value]) => labels[key] === value)) return false;
  // The controller itself tolerates the taints of a node that is cordoned, not ready or short of something.
  const taints = (node.spec?.taints ?? []).filter((taint) => taint.effect !== 'PreferNoSchedule' && !taint.key.startsWith('node.kubernetes.io/'));
  return taints.every((taint) => tolerations.some((t) =>
    (!t.effect || t.effect === taint.effect) && (t.operator === 'Exists' ? !t.key || t.key === taint.key : t.key === taint.key && (t.value ?? '') === (taint.value ?? ''))));
}
