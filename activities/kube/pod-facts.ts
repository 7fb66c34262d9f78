import type { V1Pod, V1Toleration } from '@kubernetes/client-node';
import type { DrainPodFacts } from '../../domain/facts.js';
import { controllerOf, isFinished, isMirror } from './objects.js';

/** What a drain and the eviction window need to know of each pod that is on a node. */
export function drainPodFacts(pods: readonly V1Pod[]): DrainPodFacts[] {
  return pods.filter((pod) => pod.spec?.nodeName).map((pod) => {
    const controller = controllerOf(pod);
    const notReady = tolerated(pod.spec?.tolerations ?? [], 'node.kubernetes.io/not-ready');
    const unreachable = tolerated(pod.spec?.tolerations ?? [], 'node.kubernetes.io/unreachable');
    return {
      namespace: pod.metadata?.namespace ?? '',
      name: pod.metadata?.name ?? '',
      node: pod.spec?.nodeName ?? '',
      ...(controller ? { controller: `${controller.kind}/${controller.name}` } : {}),
      emptyDir: pod.spec?.volumes?.some((volume) => volume.emptyDir !== undefined) ?? false,
      mirror: isMirror(pod),
      daemonSet: controller?.kind === 'DaemonSet',
      finished: isFinished(pod),
      ...(notReady === undefined ? {} : { notReadySeconds: notReady }),
      ...(unreachable === undefined ? {} : { unreachableSeconds: unreachable }),
    };
  });
}

/** How long a NoExecute taint is tolerated; the shortest limit counts, as the taint-eviction controller takes it. */
function tolerated(tolerations: readonly V1Toleration[], taint: string): number | 'forever' | undefined {
  const fitting = tolerations.filter(
    (t) => (t.effect === undefined || t.effect === '' || t.effect === 'NoExecute') && (t.key === taint || ((t.key === undefined || t.key === '') && t.operator === 'Exists')),
  );
  if (fitting.length === 0) return undefined;
  const limits = fitting.map((t) => t.tolerationSeconds).filter((seconds) => seconds !== undefined && seconds !== null);
  return limits.length > 0 ? Math.max(0, Math.min(...limits)) : 'forever';
}
