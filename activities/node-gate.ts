import type { V1Node, V1Pod } from '@kubernetes/client-node';
import type { ClusterSpec } from '../domain/cluster.js';
import { controllerOf, isMirror, isNodeReady, isPodReady, kubeletVersionOf, listAll, NODES, PODS, podName, podsOfNode } from './kube/objects.js';
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

/**
 * Waits until a node is Ready at a version, for a while, with its DaemonSet and static pods ready. Evidence comes by watch on the node, a change of the
 * verdict starts the steady time anew. Returns `passed: false` with the reason when `waitSeconds` are over.
 */
export async function waitForNode(kube: KubeApi, cluster: ClusterSpec, input: NodeGateInput, signal: AbortSignal, progress: (text: string) => void): Promise<GateAnswer> {
  const deadline = Date.now() + input.waitSeconds * 1000;
  let why = `no answer from the API server about ${input.node} yet`;
  let steadySince: number | undefined;
  const passed = await watchUntil<V1Node, true>(
    kube,
    cluster,
    { path: NODES, query: { fieldSelector: `metadata.name=${input.node}` }, deadline, signal, onAway: (reason) => (why = reason ?? why) },
    async ([node], wakeAt) => {
      const missing = node ? nodeMissing(node, input) ?? (await podsMissing(kube, cluster, input, signal)) : `the cluster has no node ${input.node}`;
      if (missing !== undefined) {
        why = missing;
        steadySince = undefined;
        wakeAt(Date.now() + 1_000);
        progress(missing);
        return undefined;
      }
      steadySince ??= Date.now();
      const left = steadySince + input.steadySeconds * 1000 - Date.now();
      if (left <= 0) return true;
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

async function podsMissing(kube: KubeApi, cluster: ClusterSpec, input: NodeGateInput, signal: AbortSignal): Promise<string | undefined> {
  const { items } = await listAll<V1Pod>(kube, cluster, PODS, podsOfNode(input.node), signal);
  const own = items.filter((pod) => isMirror(pod) || controllerOf(pod)?.kind === 'DaemonSet');
  const unready = own.filter((pod) => !isPodReady(pod) && !input.ignorePods.includes(podName(pod)));
  return unready.length > 0 ? `pods not ready on it: ${unready.slice(0, 3).map(podName).join(', ')}${unready.length > 3 ? ` and ${unready.length - 3} more` : ''}` : undefined;
}
