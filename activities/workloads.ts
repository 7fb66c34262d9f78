import type { V1Deployment, V1DaemonSet, V1Pod, V1StatefulSet } from '@kubernetes/client-node';
import type { ClusterSpec } from '../domain/cluster.js';
import { isFinished, isPodReady, listAll, PODS, podName } from './kube/objects.js';
import type { KubeApi } from './ports/kube-api.js';

/** Ready replicas of each workload, by `Kind namespace/name`, and the pods that were already unwell. */
export interface WorkloadBaseline {
  readonly ready: Readonly<Record<string, number>>;
  /** Replicas that each Deployment and StatefulSet asks for. */
  readonly wanted?: Readonly<Record<string, number>>;
  readonly unwellPods: readonly string[];
}

/** How ready everything is now. DaemonSets count the nodes they want and do not have, so that a changed number of nodes does not look like a loss. */
export async function workloadBaseline(kube: KubeApi, cluster: ClusterSpec, signal: AbortSignal): Promise<WorkloadBaseline> {
  const [deployments, statefulSets, daemonSets, pods] = await Promise.all([
    listAll<V1Deployment>(kube, cluster, '/apis/apps/v1/deployments', {}, signal),
    listAll<V1StatefulSet>(kube, cluster, '/apis/apps/v1/statefulsets', {}, signal),
    listAll<V1DaemonSet>(kube, cluster, '/apis/apps/v1/daemonsets', {}, signal),
    listAll<V1Pod>(kube, cluster, PODS, {}, signal),
  ]);
  const ready: Record<string, number> = {};
  const wanted: Record<string, number> = {};
  const name = (object: { metadata?: { namespace?: string; name?: string } }): string => `${object.metadata?.namespace}/${object.metadata?.name}`;
  const replicas = (kind: string, item: V1Deployment | V1StatefulSet): void => {
    const key = `${kind} ${name(item)}`;
    wanted[key] = item.spec?.replicas ?? 1;
    ready[key] = Math.min(item.status?.readyReplicas ?? 0, wanted[key]);
  };
  for (const item of deployments.items) replicas('Deployment', item);
  for (const item of statefulSets.items) replicas('StatefulSet', item);
  for (const item of daemonSets.items) ready[`DaemonSet ${name(item)}`] = (item.status?.numberReady ?? 0) - (item.status?.desiredNumberScheduled ?? 0);
  return { ready, wanted, unwellPods: pods.items.filter((pod) => !isFinished(pod) && !isPodReady(pod)).map(podName) };
}

/** Workloads that are less ready than before, in words. A workload that was deleted or scaled down on purpose is not held against the upgrade. */
export function lessReady(before: WorkloadBaseline, now: WorkloadBaseline): string[] {
  return Object.entries(before.ready).flatMap(([name, count]) => {
    const ready = now.ready[name];
    const enough = Math.min(count, now.wanted?.[name] ?? count);
    if (ready === undefined || ready >= enough) return [];
    return [name.startsWith('DaemonSet') ? `${name} lacks ${-ready} pods` : `${name} has ${ready} of ${enough} ready`];
  });
}
