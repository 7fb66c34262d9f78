import type { ClusterSpec, NodeSpec, Role, SshSpec } from '../../domain/cluster.js';

/** A node for tests: `aNode('w1')`, `aNode('cp1', { role: 'control-plane' })`. */
export function aNode(name: string, over: Partial<NodeSpec> = {}): NodeSpec {
  const role: Role = name.startsWith('cp') ? 'control-plane' : 'worker';
  return { name, host: `${name}.test`, role, labels: {}, ...over };
}

export const anSsh = (over: Partial<SshSpec> = {}): SshSpec => ({
  user: 'root', port: 22, agent: false, knownHosts: '/nonexistent/known_hosts', sudo: 'auto', connectTimeoutSeconds: 10, keepAliveSeconds: 5, ...over,
});

/** A cluster configuration with every default: `aCluster({ nodes: [aNode('cp1')] })`. */
export function aCluster(over: Partial<ClusterSpec> = {}): ClusterSpec {
  return {
    cluster: 'test',
    ssh: anSsh(),
    nodes: [aNode('cp1'), aNode('w1')],
    packages: { repository: 'https://pkgs.k8s.io/core:/stable:/v{minor}/deb/' },
    upgrade: { workers: 'rolling', maxUnavailable: '1', maxParallel: 10, order: [], ignorePreflightErrors: [], drainAllAtOnce: false },
    drain: { timeoutSeconds: 600, deleteEmptyDirData: false, evictUnmanaged: false },
    ready: { timeoutSeconds: 300, steadySeconds: 30 },
    backup: { folder: '/var/backups/drydock' },
    approvals: { upgrade: false },
    ...over,
  };
}
