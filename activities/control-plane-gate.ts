import type { V1Pod } from '@kubernetes/client-node';
import type { ClusterSpec } from '../domain/cluster.js';
import { imageVersion } from '../domain/image.js';
import type { GateAnswer } from './node-gate.js';
import { isTransient } from './kube/failure-of.js';
import { isPodReady } from './kube/objects.js';
import { watchUntil } from './kube/watch-until.js';
import type { KubeApi } from './ports/kube-api.js';

export interface ControlPlaneGateInput {
  readonly node: string;
  /** Version of kube-apiserver, kube-controller-manager and kube-scheduler. */
  readonly version: string;
  readonly steadySeconds: number;
  readonly waitSeconds: number;
}

const COMPONENTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/**
 * Waits until the static pods of a control-plane node run the wanted version in containers that do not change for a while, and the API server answers
 * ready with etcd behind it. A new kubelet restarts every static pod once more after the node already says Ready: that is why containers are looked at.
 */
export async function waitForControlPlane(kube: KubeApi, cluster: ClusterSpec, input: ControlPlaneGateInput, signal: AbortSignal, progress: (text: string) => void): Promise<GateAnswer> {
  let why = 'no answer from the API server yet';
  let steady: { containers: string; since: number } | undefined;
  const passed = await watchUntil<V1Pod, true>(
    kube,
    cluster,
    {
      path: '/api/v1/namespaces/kube-system/pods',
      query: { fieldSelector: `spec.nodeName=${input.node}`, labelSelector: 'tier=control-plane' },
      deadline: Date.now() + input.waitSeconds * 1000,
      signal,
      onAway: (reason) => {
        if (reason === undefined) return;
        why = reason;
        steady = undefined;
      },
    },
    async (pods, wakeAt) => {
      const missing = podsMissing(pods, input.version) ?? (await readyzMissing(kube, cluster, signal));
      wakeAt(Date.now() + 1_000);
      if (missing !== undefined) {
        why = missing;
        steady = undefined;
        progress(missing);
        return undefined;
      }
      const containers = containerIds(pods);
      if (steady?.containers !== containers) steady = { containers, since: Date.now() };
      const left = steady.since + input.steadySeconds * 1000 - Date.now();
      if (left <= 0) return true;
      why = `static pods ready, their containers to stay the same for another ${Math.ceil(left / 1000)} s`;
      progress(why);
      return undefined;
    },
  );
  return passed ? { passed: true, why: '' } : { passed: false, why };
}

function podsMissing(pods: readonly V1Pod[], version: string): string | undefined {
  for (const component of COMPONENTS) {
    const pod = pods.find((candidate) => candidate.metadata?.labels?.['component'] === component);
    if (!pod) return `no ${component} pod on the node`;
    const running = imageVersion(pod.spec?.containers[0]?.image ?? '');
    if (running !== version) return `${component} runs ${running ?? 'an image without tag'}, wanted ${version}`;
  }
  const unready = pods.find((pod) => !isPodReady(pod) || pod.status?.containerStatuses?.some((status) => !status.ready));
  return unready ? `${unready.metadata?.name} is not ready` : undefined;
}

function containerIds(pods: readonly V1Pod[]): string {
  return pods.flatMap((pod) => pod.status?.containerStatuses?.map((status) => status.containerID ?? '') ?? []).sort().join(' ');
}

/** `/readyz` includes the check `etcd`: an API server without its etcd is not ready. */
async function readyzMissing(kube: KubeApi, cluster: ClusterSpec, signal: AbortSignal): Promise<string | undefined> {
  try {
    await kube.request(cluster, { method: 'GET', path: '/readyz', timeoutMs: 5_000, signal });
    return undefined;
  } catch (error) {
    if (signal.aborted || !isTransient(error)) throw error;
    return `the API server is not ready: ${(error as Error).message}`;
  }
}
