/** Reads of Kubernetes objects that several activities need. */
import type { V1DaemonSet, V1Lease, V1Node, V1Pod } from '@kubernetes/client-node';
import type { ClusterSpec } from '../../domain/cluster.js';
import { StepFailure } from '../failure.js';
import { type KubeApi, kubePath, KubeStatusError } from '../ports/kube-api.js';

interface List<T> {
  items: T[];
  metadata?: { continue?: string; resourceVersion?: string };
}

/** All items, read in pages of 500, and the resourceVersion to watch from. */
export async function listAll<T>(
  kube: KubeApi,
  cluster: ClusterSpec,
  path: string,
  query: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<{ items: T[]; resourceVersion: string }> {
  const items: T[] = [];
  let next: string | undefined;
  for (;;) {
    const page = await kube.request<List<T>>(cluster, {
      method: 'GET',
      path,
      query: { ...query, limit: '500', ...(next ? { continue: next } : {}) },
      ...(signal ? { signal } : {}),
    });
    items.push(...page.items);
    next = page.metadata?.continue;
    if (!next) return { items, resourceVersion: page.metadata?.resourceVersion ?? '0' };
  }
}

/** The node, or StepFailure NodeNotFound. */
export async function getNode(kube: KubeApi, cluster: ClusterSpec, name: string, signal?: AbortSignal): Promise<V1Node> {
  try {
    return await kube.request<V1Node>(cluster, { method: 'GET', path: kubePath('api', 'v1', 'nodes', name), ...(signal ? { signal } : {}) });
  } catch (error) {
    if (error instanceof KubeStatusError && error.code === 404) throw new StepFailure('NodeNotFound', `The cluster has no node ${name}.`);
    throw error;
  }
}

/** When the kubelet last renewed the node's lease (each 10 s), by its own clock, epoch milliseconds; undefined when there is none. */
export async function leaseRenewed(kube: KubeApi, cluster: ClusterSpec, node: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const lease = await kube.request<V1Lease>(cluster, { method: 'GET', path: kubePath('apis', 'coordination.k8s.io', 'v1', 'namespaces', 'kube-node-lease', 'leases', node), signal });
    const renewed = new Date(lease.spec?.renewTime ?? '').getTime();
    return Number.isFinite(renewed) ? renewed : undefined;
  } catch (error) {
    if (error instanceof KubeStatusError && error.code === 404) return undefined;
    throw error;
  }
}

export const podsOfNode = (name: string): Readonly<Record<string, string>> => ({ fieldSelector: `spec.nodeName=${name}` });
export const PODS = '/api/v1/pods';
export const NODES = '/api/v1/nodes';

/** `namespace/name` of each DaemonSet that exists: a pod whose DaemonSet is gone is an orphan. */
export async function daemonSetNames(kube: KubeApi, cluster: ClusterSpec): Promise<Set<string>> {
  const { items } = await listAll<V1DaemonSet>(kube, cluster, '/apis/apps/v1/daemonsets');
  return new Set(items.map((set) => `${set.metadata?.namespace}/${set.metadata?.name}`));
}

export const podName = (pod: V1Pod): string => `${pod.metadata?.namespace ?? ''}/${pod.metadata?.name ?? ''}`;
export const isMirror = (pod: V1Pod): boolean => pod.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined;
export const isFinished = (pod: V1Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
export const isPodReady = (pod: V1Pod): boolean => pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
export const isNodeReady = (node: V1Node): boolean => node.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
export const kubeletVersionOf = (node: V1Node): string => (node.status?.nodeInfo?.kubeletVersion ?? '').replace(/^v/, '');

export function controllerOf(pod: V1Pod): { kind: string; name: string; apiVersion: string } | undefined {
  const owner = pod.metadata?.ownerReferences?.find((reference) => reference.controller);
  return owner ? { kind: owner.kind, name: owner.name, apiVersion: owner.apiVersion } : undefined;
}
