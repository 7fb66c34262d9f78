import type { V1Pod } from '@kubernetes/client-node';
import type { ClusterSpec, NodeSpec } from '../domain/cluster.js';
import { imageVersion } from '../domain/image.js';
import type { GateAnswer } from './node-gate.js';
import { isTransient } from './kube/failure-of.js';
import { isPodReady, leaseRenewed } from './kube/objects.js';
import { watchUntil } from './kube/watch-until.js';
import type { KubeApi } from './ports/kube-api.js';
import type { RemoteShell } from './ports/remote-shell.js';

export interface ControlPlaneGateInput {
  readonly node: string;
  /** Version of kube-apiserver, kube-controller-manager and kube-scheduler. */
  readonly version: string;
  /** When the kubelet was restarted, ISO 8601 by the node's clock: pods are believed once the new kubelet has renewed the node's lease. */
  readonly after?: string;
  readonly steadySeconds: number;
  readonly waitSeconds: number;
}

interface Ask {
  readonly kube: KubeApi;
  /** Asks the API server of that very node: what is missing, or undefined. The cluster's address may lead to another. */
  readonly askNode?: (host: string, port: number) => Promise<string | undefined>;
}

/** `after` is when the restart began: the old kubelet may renew its lease while it ends. */
const RESTART_MS = 5_000;
const COMPONENTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/**
 * Waits until the static pods of a control-plane node run the wanted version in containers that do not change for a while, and the API server answers
 * ready with etcd behind it. A new kubelet restarts every static pod once more after the node already says Ready: that is why containers are looked at.
 */
export async function waitForControlPlane({ kube, askNode }: Ask, cluster: ClusterSpec, input: ControlPlaneGateInput, signal: AbortSignal, progress: (text: string) => void): Promise<GateAnswer> {
  let why = 'no answer from the API server yet';
  let steady: { containers: string; since: number } | undefined;
  const steadyLeft = (since: number): number => since + input.steadySeconds * 1000 - Date.now();
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
    async (all, wakeAt) => {
      // A static pod that is replaced is there twice for a moment, the old one being deleted.
      const pods = all.filter((pod) => pod.metadata?.deletionTimestamp === undefined);
      const missing = podsMissing(pods, input.version) ?? (await oldEvidence(kube, cluster, input, steady !== undefined, signal)) ?? (await readyzMissing(kube, cluster, signal))
        ?? (steady === undefined || steadyLeft(steady.since) <= 0 ? await askNode?.(...addressOf(pods)) : undefined);
      wakeAt(Date.now() + 1_000);
      if (missing !== undefined) {
        why = missing;
        steady = undefined;
        progress(missing);
        return undefined;
      }
      const containers = containerIds(pods);
      if (steady?.containers !== containers) steady = { containers, since: Date.now() };
      const left = steadyLeft(steady.since);
      if (left <= 0) return true;
      why = `static pods ready, their containers to stay the same for another ${Math.ceil(left / 1000)} s`;
      progress(why);
      return undefined;
    },
  );
  return passed ? { passed: true, why: '' } : { passed: false, why };
}

const component = (pods: readonly V1Pod[], name: string): V1Pod | undefined => pods.find((pod) => pod.metadata?.labels?.['component'] === name);

/** Value of a flag of the node's API server. */
function flag(pods: readonly V1Pod[], name: string): string | undefined {
  const main = component(pods, 'kube-apiserver')?.spec?.containers[0];
  return [...(main?.command ?? []), ...(main?.args ?? [])].find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
}

/** kubeadm points an API server at the etcd of its own node, unless etcd is external. */
function etcdIsElsewhere(pods: readonly V1Pod[]): boolean {
  const servers = flag(pods, 'etcd-servers');
  return servers !== undefined && !/\/\/(127\.|localhost|\[::1\])/.test(servers);
}

function addressOf(pods: readonly V1Pod[]): [host: string, port: number] {
  const bound = flag(pods, 'bind-address');
  return [bound === undefined || bound === '0.0.0.0' || bound === '::' ? '127.0.0.1' : bound, Number(flag(pods, 'secure-port') ?? 6443)];
}

const ASK = `
command -v curl >/dev/null || exit 90
exec curl -ks --noproxy '*' --max-time 5 -o /dev/null -w '%{http_code}' "$1"
`;

/** Asked on the node itself. Without curl, or where strangers may not ask, the pod's own readiness has to do: the kubelet asks the same. */
export async function askApiServerOn(shell: RemoteShell, cluster: ClusterSpec, node: NodeSpec, host: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}/readyz`;
  const { exitCode, stdout } = await shell.run(cluster, node, { program: 'sh', args: ['-c', ASK, 'drydock', url] }, { timeoutMs: 15_000, signal });
  if (exitCode === 90 || ['200', '401', '403'].includes(stdout.trim())) return undefined;
  return `the API server on ${node.name} is not ready: ${exitCode === 0 ? `${url} answers ${stdout.trim()}` : `${url} does not answer`}`;
}

/** What the pods say is the new kubelet's word once it has renewed the node's lease; asked until then. */
async function oldEvidence(kube: KubeApi, cluster: ClusterSpec, { node, after }: ControlPlaneGateInput, seen: boolean, signal: AbortSignal): Promise<string | undefined> {
  if (after === undefined || seen) return undefined;
  const renewed = await leaseRenewed(kube, cluster, node, signal);
  return renewed !== undefined && renewed > Date.parse(after) + RESTART_MS ? undefined : `the new kubelet on ${node} has not yet renewed the node's lease`;
}

function podsMissing(pods: readonly V1Pod[], version: string): string | undefined {
  if (!component(pods, 'etcd') && component(pods, 'kube-apiserver') && !etcdIsElsewhere(pods)) return 'no etcd pod on the node';
  for (const name of COMPONENTS) {
    const pod = component(pods, name);
    if (!pod) return `no ${name} pod on the node`;
    const running = imageVersion(pod.spec?.containers[0]?.image ?? '');
    if (running !== version) return `${name} runs ${running ?? 'an image without tag'}, wanted ${version}`;
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
