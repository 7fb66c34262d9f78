import type { V1ConfigMap } from '@kubernetes/client-node';
import { parse } from 'yaml';
import type { ClusterSpec } from '../../domain/cluster.js';
import { defaultMonitorGraceSeconds } from '../../domain/eviction-window.js';
import type { KubeadmFacts } from '../../domain/facts.js';
import { parseVersion } from '../../domain/version.js';
import type { KubeApi } from '../ports/kube-api.js';

interface Component {
  extraArgs?: Record<string, string> | { name: string; value: string }[];
}
interface ClusterConfiguration {
  apiVersion?: string;
  kubernetesVersion?: string;
  clusterName?: string;
  imageRepository?: string;
  controlPlaneEndpoint?: string;
  apiServer?: Component;
  controllerManager?: Component;
  scheduler?: Component;
  etcd?: { local?: Component; external?: object };
}

export async function readKubeadm(kube: KubeApi, spec: ClusterSpec, signal: AbortSignal): Promise<KubeadmFacts> {
  const map = await kube.request<V1ConfigMap>(spec, { method: 'GET', path: '/api/v1/namespaces/kube-system/configmaps/kubeadm-config', signal });
  return kubeadmFacts(map.data?.['ClusterConfiguration'] ?? '');
}

/** The ClusterConfiguration of the kubeadm-config ConfigMap. Throws an Error when it is none. */
export function kubeadmFacts(text: string): KubeadmFacts {
  const config = parse(text) as ClusterConfiguration | null;
  if (!config?.kubernetesVersion) throw new Error('the ConfigMap kube-system/kubeadm-config holds no ClusterConfiguration with a kubernetesVersion');
  const { apiServer, controllerManager, scheduler, etcd } = config;
  return {
    version: config.kubernetesVersion.replace(/^v/, ''),
    apiVersion: config.apiVersion ?? '',
    clusterName: config.clusterName ?? 'kubernetes',
    imageRepository: config.imageRepository ?? 'registry.k8s.io',
    ...(config.controlPlaneEndpoint ? { controlPlaneEndpoint: config.controlPlaneEndpoint } : {}),
    externalEtcd: etcd?.external !== undefined,
    extraArgs: { apiServer: flags(apiServer), controllerManager: flags(controllerManager), scheduler: flags(scheduler), etcd: flags(etcd?.local) },
  };
}

/** v1beta4 has a list of names and values, older versions a map. */
function flags(component: Component | undefined): string[] {
  const args = component?.extraArgs ?? {};
  const pairs = Array.isArray(args) ? args.map(({ name, value }): [string, string] => [name, value]) : Object.entries(args);
  return pairs.map(([name, value]) => `--${name}=${value}`);
}

/** How long a node may be silent before it is marked: the flag where it is set, else the version's default. */
export function nodeMonitorGrace(kubeadm: KubeadmFacts | undefined, gitVersion: string): number {
  const args = kubeadm?.extraArgs['controllerManager'] ?? [];
  const parts = args.map((arg) => /^--node-monitor-grace-period=(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(arg)).find((match) => match !== null);
  const seconds = parts ? Number(parts[1] ?? 0) * 3600 + Number(parts[2] ?? 0) * 60 + Number(parts[3] ?? 0) : 0;
  return seconds > 0 ? seconds : defaultMonitorGraceSeconds(parseVersion(gitVersion) ?? { minor: 0 });
}
