import { createHash } from 'node:crypto';
import type { V1Node } from '@kubernetes/client-node';
import { Client } from 'ssh2';
import type { ClusterSpec, Role } from '../domain/cluster.js';
import { StepFailure } from './failure.js';
import { listAll, NODES } from './kube/objects.js';
import { kubeadmFacts } from './kube/kubeadm-facts.js';
import type { KubeApi } from './ports/kube-api.js';

export interface DiscoverInput {
  /** Absolute path on the worker's machine. */
  readonly kubeconfig: string;
  readonly port: number;
}

export interface DiscoveredNode {
  readonly name: string;
  readonly host: string;
  readonly role: Role;
  /** The key that the host showed just now, or why there is none. Nothing is trusted by this: a person looks at the fingerprint. */
  readonly hostKey: { readonly type: string; readonly base64: string; readonly fingerprint: string } | { readonly why: string };
}

export interface Discovered {
  /** As kubeadm named it. */
  readonly cluster: string;
  readonly version: string;
  readonly nodes: readonly DiscoveredNode[];
}

/** What `init` needs: nodes, roles and addresses from the API, and each host's key as it shows it. */
export async function discoverCluster(kube: KubeApi, { kubeconfig, port }: DiscoverInput, signal: AbortSignal): Promise<Discovered> {
  const spec = { cluster: `discover:${kubeconfig}`, kubeconfig, nodes: [] } as unknown as ClusterSpec;
  const [{ gitVersion }, { items }, map] = await Promise.all([
    kube.request<{ gitVersion: string }>(spec, { method: 'GET', path: '/version', signal }),
    listAll<V1Node>(kube, spec, NODES, {}, signal),
    kube.request<{ data?: Record<string, string> }>(spec, { method: 'GET', path: '/api/v1/namespaces/kube-system/configmaps/kubeadm-config', signal }).catch(() => undefined),
  ]);
  if (!map) throw new StepFailure('WrongCluster', 'This cluster has no ConfigMap kube-system/kubeadm-config: it was not made by kubeadm.');
  const nodes = await Promise.all(items.map(async (node): Promise<DiscoveredNode> => {
    const host = addressOf(node);
    return { name: node.metadata?.name ?? '', host, role: roleOf(node), hostKey: await hostKey(host, port) };
  }));
  return { cluster: kubeadmFacts(map.data?.['ClusterConfiguration'] ?? '').clusterName, version: gitVersion.replace(/^v/, ''), nodes: nodes.sort(controlPlaneFirst) };
}

const controlPlaneFirst = (a: DiscoveredNode, b: DiscoveredNode): number => a.role.localeCompare(b.role) || a.name.localeCompare(b.name, 'en', { numeric: true });

function addressOf(node: V1Node): string {
  const by = (type: string): string | undefined => node.status?.addresses?.find((address) => address.type === type)?.address;
  return by('InternalIP') ?? by('Hostname') ?? node.metadata?.name ?? '';
}

function roleOf(node: V1Node): Role {
  return 'node-role.kubernetes.io/control-plane' in (node.metadata?.labels ?? {}) ? 'control-plane' : 'worker';
}

/** Begins a key exchange, notes the key, and leaves before any authentication. */
function hostKey(host: string, port: number): Promise<DiscoveredNode['hostKey']> {
  return new Promise((resolve) => {
    const client = new Client();
    client.on('error', (error) => resolve({ why: error.message }));
    client.on('close', () => resolve({ why: 'the connection was closed before a key was shown' }));
    client.connect({
      host, port, username: 'drydock-init', readyTimeout: 8_000,
      hostVerifier: (key: Buffer) => {
        const length = key.readUInt32BE(0);
        resolve({ type: key.subarray(4, 4 + length).toString('ascii'), base64: key.toString('base64'), fingerprint: `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}` });
        return false;
      },
    });
  });
}
