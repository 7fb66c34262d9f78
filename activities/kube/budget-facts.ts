import type { V1LabelSelector, V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';
import type { ClusterSpec } from '../../domain/cluster.js';
import type { BudgetFacts } from '../../domain/facts.js';
import type { KubeApi } from '../ports/kube-api.js';
import { isFinished, listAll, podName } from './objects.js';

/** Every PodDisruptionBudget with the pods that it selects. */
export async function budgetFacts(kube: KubeApi, cluster: ClusterSpec, pods: readonly V1Pod[], signal: AbortSignal): Promise<BudgetFacts[]> {
  const { items } = await listAll<V1PodDisruptionBudget>(kube, cluster, '/apis/policy/v1/poddisruptionbudgets', {}, signal);
  return items.map((budget) => {
    const namespace = budget.metadata?.namespace ?? '';
    const selected = pods.filter((pod) => pod.metadata?.namespace === namespace && !isFinished(pod) && matches(budget.spec?.selector, pod.metadata?.labels ?? {}));
    return {
      namespace,
      name: budget.metadata?.name ?? '',
      disruptionsAllowed: budget.status?.disruptionsAllowed ?? 0,
      expectedPods: budget.status?.expectedPods ?? 0,
      currentHealthy: budget.status?.currentHealthy ?? 0,
      desiredHealthy: budget.status?.desiredHealthy ?? 0,
      observed: budget.status?.observedGeneration === budget.metadata?.generation,
      pods: selected.map((pod) => ({ name: podName(pod), ...(pod.spec?.nodeName ? { node: pod.spec.nodeName } : {}) })),
    };
  });
}

/** A label selector as the API defines it: an empty one selects everything, an absent one nothing. */
export function matches(selector: V1LabelSelector | undefined, labels: Readonly<Record<string, string>>): boolean {
  if (!selector) return false;
  const byLabels = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return byLabels && (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels[key];
    switch (operator) {
      case 'In': return value !== undefined && values.includes(value);
      case 'NotIn': return value === undefined || !values.includes(value);
      case 'Exists': return value !== undefined;
      case 'DoesNotExist': return value === undefined;
      default: return false;
    }
  });
}
