import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { V1Namespace, V1Node, V1Pod } from '@kubernetes/client-node';
import type { ClusterSpec, NodeSpec } from '../domain/cluster.js';
import { type Answer, type ApiNodeFacts, type ClusterFacts, type ComponentFacts, type HostAnswer, known, type NodeFacts, unknown } from '../domain/facts.js';
import { imageVersion } from '../domain/image.js';
import { budgetFacts } from './kube/budget-facts.js';
import { deprecatedApis } from './kube/deprecated-apis.js';
import { drainPodFacts } from './kube/pod-facts.js';
import { nodeMonitorGrace, readKubeadm } from './kube/kubeadm-facts.js';
import { cordonOwner } from './cordon.js';
import { StepFailure } from './failure.js';
import { etcdFacts } from './etcd-facts.js';
import { gatherHostFacts } from './host-facts.js';
import { isNodeReady, isPodReady, kubeletVersionOf, listAll, NODES, PODS } from './kube/objects.js';
import type { KubeApi } from './ports/kube-api.js';
import type { RemoteShell } from './ports/remote-shell.js';

/** Each has a connection and a read of the package lists under way. */
const HOSTS_AT_ONCE = 50;

export interface InspectTarget {
  /** `1.37` */
  readonly minor?: string;
  /** `1.37.2`, absent when only a minor was asked for. */
  readonly version?: string;
}

/** Everything the preflight and the plan need, all of it by reads: the API server and every node at once. Throws only when the API server cannot be asked at all. */
export async function inspectCluster(ports: { shell: RemoteShell; kube: KubeApi }, spec: ClusterSpec, target: InspectTarget, signal: AbortSignal): Promise<ClusterFacts> {
  const { kube, shell } = ports;
  const hosts = atMost(HOSTS_AT_ONCE, spec.nodes, async (node): Promise<[string, HostAnswer]> => [node.name, await gatherHostFacts(shell, spec, node, target, signal)]);
  hosts.catch(() => undefined);
  const version = await kube.request<{ gitVersion: string }>(spec, { method: 'GET', path: '/version', signal });
  const nodes = (await listAll<V1Node>(kube, spec, NODES, {}, signal)).items;
  const pods = await answer(async () => (await listAll<V1Pod>(kube, spec, PODS, {}, signal)).items);
  const [uid, kubeadm, budgets, deprecated, hostAnswers, workerMachineId] = await Promise.all([
    answer(async () => (await kube.request<V1Namespace>(spec, { method: 'GET', path: '/api/v1/namespaces/kube-system', signal })).metadata?.uid ?? ''),
    answer(() => readKubeadm(kube, spec, signal)),
    pods.known ? answer(() => budgetFacts(kube, spec, pods.value, signal)) : Promise.resolve(pods),
    answer(() => deprecatedApis(kube, spec, signal)),
    hosts,
    readFile('/etc/machine-id', 'utf8').then((text) => text.trim(), () => undefined),
  ]);
  const components = pods.known ? known(componentFacts(pods.value)) : pods;
  return {
    cluster: spec.cluster,
    takenAt: new Date().toISOString(),
    apiServer: version.gitVersion ? known(version.gitVersion.replace(/^v/, '')) : unknown('the API server names no version'),
    clusterUid: uid,
    kubeadm,
    nodes: nodeFacts(spec, nodes, new Map(hostAnswers)),
    components,
    etcd: await answer(() => etcdFacts(shell, spec, pods.known ? pods.value : [], kubeadm)),
    budgets,
    pods: pods.known ? known(drainPodFacts(pods.value)) : pods,
    deprecatedApis: deprecated,
    nodeMonitorGraceSeconds: nodeMonitorGrace(kubeadm.known ? kubeadm.value : undefined, version.gitVersion),
    ...(workerMachineId ? { workerMachineId } : {}),
    workerAddresses: ownAddresses(),
  };
}

/** In order of the items, with so many under way at once. */
async function atMost<T, R>(limit: number, items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  const queue = items.entries();
  await Promise.all(Array.from({ length: limit }, async () => {
    for (const [i, item] of queue) results[i] = await act(item);
  }));
  return results;
}

/** An answer, or why there is none. An abort is neither. */
async function answer<T>(ask: () => Promise<T>): Promise<Answer<T>> {
  try {
    return known(await ask());
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    return unknown(error instanceof StepFailure ? `${error.kind}: ${error.message}` : (error as Error).message);
  }
}

function nodeFacts(spec: ClusterSpec, nodes: readonly V1Node[], hosts: ReadonlyMap<string, HostAnswer>): NodeFacts[] {
  const byName = new Map(nodes.map((node) => [node.metadata?.name ?? '', node]));
  const configured = spec.nodes.map((node: NodeSpec): NodeFacts => {
    const api = byName.get(node.name);
    const host = hosts.get(node.name);
    return { name: node.name, role: node.role, configured: true, ...(api ? { api: apiNode(api) } : {}), ...(host ? { host } : {}) };
  });
  const others = nodes
    .filter((node) => !spec.nodes.some((candidate) => candidate.name === node.metadata?.name))
    .map((node): NodeFacts => ({ name: node.metadata?.name ?? '', role: apiNode(node).role, configured: false, api: apiNode(node) }));
  return [...configured, ...others];
}

function apiNode(node: V1Node): ApiNodeFacts {
  const labels = node.metadata?.labels ?? {};
  const condition = node.status?.conditions?.find((candidate) => candidate.type === 'Ready');
  const ready = isNodeReady(node);
  const owner = cordonOwner(node);
  return {
    name: node.metadata?.name ?? '',
    role: 'node-role.kubernetes.io/control-plane' in labels || 'node-role.kubernetes.io/master' in labels ? 'control-plane' : 'worker',
    kubeletVersion: kubeletVersionOf(node),
    containerRuntime: node.status?.nodeInfo?.containerRuntimeVersion ?? '',
    machineId: node.status?.nodeInfo?.machineID ?? '',
    ready,
    ...(ready ? {} : { notReadyWhy: `${condition?.reason ?? 'no Ready condition'}: ${condition?.message ?? ''}` }),
    pressures: (node.status?.conditions ?? []).filter((c) => c.type !== 'Ready' && c.status === 'True').map((c) => c.type),
    unschedulable: node.spec?.unschedulable ?? false,
    ...(owner === undefined ? {} : { cordonedBy: owner }),
    addresses: (node.status?.addresses ?? []).map((address) => address.address),
    labels,
  };
}

const STATIC = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'];
const ADDONS: Readonly<Record<string, string>> = { 'kube-proxy': 'kube-proxy', 'kube-dns': 'coredns' };

function componentFacts(pods: readonly V1Pod[]): ComponentFacts[] {
  return pods
    .filter((pod) => pod.metadata?.namespace === 'kube-system')
    .flatMap((pod): ComponentFacts[] => {
      const labels = pod.metadata?.labels ?? {};
      const component = STATIC.find((name) => labels['component'] === name) ?? ADDONS[labels['k8s-app'] ?? ''];
      if (!component) return [];
      const image = pod.spec?.containers[0]?.image ?? '';
      const version = imageVersion(image);
      return [{ component, image, ready: isPodReady(pod), ...(pod.spec?.nodeName ? { node: pod.spec.nodeName } : {}), ...(version ? { version } : {}) }];
    });
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).filter((entry) => !entry.internal).map((entry) => entry.address));
}
