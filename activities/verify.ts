import type { V1Node, V1Pod } from '@kubernetes/client-node';
import type { ClusterSpec } from '../domain/cluster.js';
import { imageVersion } from '../domain/image.js';
import { StepFailure } from './failure.js';
import { kubeletVersionOf, listAll, NODES, PODS } from './kube/objects.js';
import { watchUntil } from './kube/watch-until.js';
import type { KubeApi } from './ports/kube-api.js';
import { lessReady, workloadBaseline, type WorkloadBaseline } from './workloads.js';

const WAIT_SECONDS = 300;
const COMPONENTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];

export interface VerifyInput {
  readonly to: string;
  /** Nodes that must be at the version: all but the skipped ones. */
  readonly nodes: readonly string[];
  readonly baseline: WorkloadBaseline;
  /** False when nodes were skipped: workloads that lack their pods are told, not failed for. */
  readonly strict: boolean;
}

/** After the whole: versions equal the plan, all workloads as ready as before. Waits up to five minutes for pods that are still coming up. */
export async function verifyUpgrade(kube: KubeApi, spec: ClusterSpec, input: VerifyInput, signal: AbortSignal, progress: (text: string) => void): Promise<{ lessReady: readonly string[] }> {
  let wrong: readonly string[] = [];
  let less: readonly string[] = [];
  const passed = await watchUntil<V1Pod, true>(kube, spec, { path: PODS, query: {}, deadline: Date.now() + WAIT_SECONDS * 1000, signal }, async (pods, wakeAt) => {
    wakeAt(Date.now() + 1_000);
    wrong = [...(await wrongNodes(kube, spec, input, signal)), ...wrongComponents(pods, input)];
    less = wrong.length > 0 ? [] : lessReady(input.baseline, await workloadBaseline(kube, spec, signal));
    progress([...wrong, ...less].slice(0, 3).join('; ') || 'all as planned');
    return wrong.length === 0 && (less.length === 0 || !input.strict) ? true : undefined;
  });
  if (passed) return { lessReady: less };
  const kind = wrong.length > 0 ? 'GateNotPassed' : 'WorkloadNotReady';
  throw new StepFailure(kind, `After the upgrade: ${[...wrong, ...less].slice(0, 10).join('; ')}.`);
}

async function wrongNodes(kube: KubeApi, spec: ClusterSpec, input: VerifyInput, signal: AbortSignal): Promise<string[]> {
  const { items } = await listAll<V1Node>(kube, spec, NODES, {}, signal);
  return items
    .filter((node) => input.nodes.includes(node.metadata?.name ?? '') && kubeletVersionOf(node) !== input.to)
    .map((node) => `${node.metadata?.name} has kubelet ${kubeletVersionOf(node)}, planned ${input.to}`);
}

function wrongComponents(pods: readonly V1Pod[], input: VerifyInput): string[] {
  return pods
    .filter((pod) => pod.metadata?.namespace === 'kube-system' && input.nodes.includes(pod.spec?.nodeName ?? ''))
    .flatMap((pod) => {
      const labels = pod.metadata?.labels ?? {};
      const component = COMPONENTS.find((name) => labels['component'] === name || labels['k8s-app'] === name);
      const version = component ? imageVersion(pod.spec?.containers[0]?.image ?? '') : undefined;
      return component && version !== input.to ? [`${pod.metadata?.name} runs ${version ?? 'an image without tag'}, planned ${input.to}`] : [];
    });
}
