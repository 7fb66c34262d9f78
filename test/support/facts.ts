/** Clusters for the tables of the pure tests: `aCluster().at('1.36.3').withWorkers(2).withNotReady('w1')`. A fresh one has nothing to complain about. */
import type { ClusterSpec, NodeSpec, Role } from '../../domain/cluster.js';
import {
  type ApiNodeFacts, type BudgetFacts, type ClusterFacts, type ComponentFacts, type DeprecatedApiUse, type DrainPodFacts, type EtcdFacts, type EtcdMemberFacts,
  type HostFacts, known, type KubeadmFacts, type NodeFacts, unknown,
} from '../../domain/facts.js';
import type { FailureKind } from '../../domain/failure.js';
import type { Finding, Plan } from '../../domain/plan.js';
import { planUpgrade } from '../../domain/plan-upgrade.js';

export const NOW = '2026-11-23T12:00:00.000Z';
const FAR = '2030-01-01T00:00:00.000Z';
/** The etcd that goes on without a warning, by minor of Kubernetes. */
const etcdOf = (minor: number): string => (minor >= 37 ? '3.7.0' : minor >= 34 ? '3.6.11' : minor >= 22 ? '3.5.32' : '3.4.13');
const CONTROL_PLANE = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

type Question = 'apiServer' | 'clusterUid' | 'kubeadm' | 'components' | 'etcd' | 'budgets' | 'pods' | 'deprecatedApis';

export interface World {
  readonly facts: ClusterFacts;
  readonly spec: ClusterSpec;
}

export class ClusterBuilder {
  constructor(private readonly world: World) {}

  get facts(): ClusterFacts {
    return this.world.facts;
  }
  get spec(): ClusterSpec {
    return this.world.spec;
  }
  private get version(): string {
    return this.facts.apiServer.known ? this.facts.apiServer.value : '1.36.3';
  }

  // Shape

  withControlPlanes(count: number): ClusterBuilder {
    return this.withNodes('control-plane', 'cp', count);
  }
  withWorkers(count: number): ClusterBuilder {
    return this.withNodes('worker', 'w', count);
  }
  private withNodes(role: Role, prefix: string, count: number): ClusterBuilder {
    const others = this.facts.nodes.filter((n) => n.role !== role);
    const nodes = Array.from({ length: count }, (_, i) => aNode(`${prefix}${i + 1}`, role, i, this.version));
    const all = role === 'control-plane' ? [...nodes, ...others] : [...others, ...nodes];
    return this.withFacts({ nodes: all }).withSpec({ nodes: all.map(specOf) }).recomposed();
  }
  /** Static pods, addons and etcd members that go with the nodes. */
  private recomposed(): ClusterBuilder {
    const names = this.facts.nodes.filter((n) => n.role === 'control-plane').map((n) => n.name);
    const components = [
      ...names.flatMap((node) => CONTROL_PLANE.map((component) => aComponent(component, this.version, node))),
      ...names.map((node) => aComponent('etcd', `${etcdOf(minorNumber(this.version))}-0`, node)),
      ...this.facts.nodes.map((n) => aComponent('kube-proxy', this.version, n.name)),
    ];
    const members = names.map((name, i): EtcdMemberFacts => ({ name, healthy: true, version: etcdOf(minorNumber(this.version)), learner: false, leader: i === 0, dbBytes: 20_000_000, alarms: [] }));
    return this.withFacts({ components: known(components), etcd: known({ topology: 'stacked', members, flags: ['--name=cp1'] }) });
  }

  // Versions

  at(version: string): ClusterBuilder {
    const nodes = this.facts.nodes.map((n) => ({ ...n, ...aNode(n.name, n.role, Number(/\d+$/.exec(n.name)?.[0] ?? 1) - 1, version) }));
    return this.withFacts({ apiServer: known(version), nodes }).withKubeadm({ version, apiVersion: configApiOf(minorNumber(version)) }).recomposed();
  }
  /** Every host's repository of the target minor offers these, newest first. */
  offering(...versions: readonly string[]): ClusterBuilder {
    const full = versions.map((v) => (v.includes('-') ? v : `${v}-1.1`));
    return this.withEveryHost({ candidates: known({ version: versions[0] ?? '', kubeadm: full, kubelet: full, kubectl: full }) });
  }
  withKubelet(node: string, version: string): ClusterBuilder {
    return this.withApi(node, { kubeletVersion: `v${version}` }).withHost(node, { kubeletVersion: version, packages: packagesAt(version) });
  }
  /** Control-plane static pods of one node at another version. */
  withControlPlaneAt(node: string, version: string): ClusterBuilder {
    return this.changeComponents((c) => (c.node === node && CONTROL_PLANE.includes(c.component) ? aComponent(c.component, version, node) : c));
  }
  withComponent(component: string, node: string, change: Partial<ComponentFacts>): ClusterBuilder {
    return this.changeComponents((c) => (c.component === component && c.node === node ? { ...c, ...change } : c));
  }
  withoutComponent(component: string, node: string): ClusterBuilder {
    const left = this.facts.components.known ? this.facts.components.value.filter((c) => c.component !== component || c.node !== node) : [];
    return this.withFacts({ components: known(left) });
  }
  /** The node has been through the hop: kubelet, packages, and its static pods when it has some. */
  withDone(node: string, version: string): ClusterBuilder {
    return this.withKubelet(node, version).withControlPlaneAt(node, version);
  }

  // Nodes

  withNotReady(node: string, notReadyWhy = 'KubeletNotReady: container runtime is down'): ClusterBuilder {
    return this.withApi(node, { ready: false, notReadyWhy });
  }
  withCordoned(node: string, cordonedBy?: string): ClusterBuilder {
    return this.withApi(node, { unschedulable: true, ...(cordonedBy === undefined ? {} : { cordonedBy }) });
  }
  withUnreached(node: string, kind: FailureKind, why = 'no answer'): ClusterBuilder {
    return this.changeNode(node, { host: { reached: false, kind, why } });
  }
  withApi(node: string, change: Partial<ApiNodeFacts>): ClusterBuilder {
    return this.changeNode(node, (n) => (n.api ? { api: { ...n.api, ...change } } : {}));
  }
  withHost(node: string, change: Partial<HostFacts>): ClusterBuilder {
    return this.changeNode(node, (n) => (n.host?.reached ? { host: { reached: true, host: { ...n.host.host, ...change } } } : {}));
  }
  withEveryHost(change: Partial<HostFacts>): ClusterBuilder {
    return this.facts.nodes.reduce<ClusterBuilder>((cluster, n) => cluster.withHost(n.name, change), this);
  }
  /** The cluster has it, the file has not. */
  missingInFile(node: string): ClusterBuilder {
    const nodes = this.facts.nodes.map((n): NodeFacts => (n.name === node ? { name: n.name, role: n.role, configured: false, ...(n.api ? { api: n.api } : {}) } : n));
    return this.withFacts({ nodes }).withSpec({ nodes: this.spec.nodes.filter((n) => n.name !== node) });
  }
  /** The file has it, the cluster has not. */
  missingInCluster(node: string): ClusterBuilder {
    const nodes = this.facts.nodes.map((n): NodeFacts => (n.name === node ? { name: n.name, role: n.role, configured: true, ...(n.host ? { host: n.host } : {}) } : n));
    return this.withFacts({ nodes });
  }

  // The rest of the world

  withEtcd(change: Partial<EtcdFacts>): ClusterBuilder {
    return this.facts.etcd.known ? this.withFacts({ etcd: known({ ...this.facts.etcd.value, ...change }) }) : this;
  }
  withMember(node: string, change: Partial<EtcdMemberFacts>): ClusterBuilder {
    const members = this.facts.etcd.known ? this.facts.etcd.value.members : [];
    return this.withEtcd({ members: members.map((m) => (m.name === node ? { ...m, ...change } : m)) });
  }
  withEtcdAt(version: string): ClusterBuilder {
    const members = this.facts.etcd.known ? this.facts.etcd.value.members : [];
    return this.withEtcd({ members: members.map((m) => ({ ...m, version })) });
  }
  withKubeadm(change: Partial<KubeadmFacts>): ClusterBuilder {
    return this.facts.kubeadm.known ? this.withFacts({ kubeadm: known({ ...this.facts.kubeadm.value, ...change }) }) : this;
  }
  withPods(...pods: readonly DrainPodFacts[]): ClusterBuilder {
    return this.withFacts({ pods: known([...(this.facts.pods.known ? this.facts.pods.value : []), ...pods]) });
  }
  withBudget(...budgets: readonly BudgetFacts[]): ClusterBuilder {
    return this.withFacts({ budgets: known([...(this.facts.budgets.known ? this.facts.budgets.value : []), ...budgets]) });
  }
  withApiUse(use: Partial<DeprecatedApiUse>): ClusterBuilder {
    const one = { group: 'networking.k8s.io', version: 'v1beta1', resource: 'ipaddresses', removedIn: '1.37', source: 'metric apiserver_requested_deprecated_apis', ...use };
    return this.withFacts({ deprecatedApis: known([one]) });
  }
  withUnknown(question: Question, why = 'timed out'): ClusterBuilder {
    return this.withFacts({ [question]: unknown(why) });
  }
  withFacts(change: Partial<ClusterFacts>): ClusterBuilder {
    return new ClusterBuilder({ ...this.world, facts: { ...this.facts, ...change } });
  }
  withSpec(change: Partial<ClusterSpec>): ClusterBuilder {
    return new ClusterBuilder({ ...this.world, spec: { ...this.spec, ...change } });
  }
  withUpgrade(change: Partial<ClusterSpec['upgrade']>): ClusterBuilder {
    return this.withSpec({ upgrade: { ...this.spec.upgrade, ...change } });
  }
  withDrain(change: Partial<ClusterSpec['drain']>): ClusterBuilder {
    return this.withSpec({ drain: { ...this.spec.drain, ...change } });
  }

  // What comes of it

  findings(to = '1.37'): readonly Finding[] {
    const result = planUpgrade(this.facts, { to, spec: this.spec });
    return result.planned ? result.plan.warnings : [...result.refusals, ...result.warnings];
  }
  plan(to = '1.37'): Plan {
    const result = planUpgrade(this.facts, { to, spec: this.spec });
    if (!result.planned) throw new Error(`refused: ${result.refusals.map((f) => `${f.check}: ${f.message}`).join('\n')}`);
    return result.plan;
  }

  private changeNode(name: string, change: Partial<NodeFacts> | ((node: NodeFacts) => Partial<NodeFacts>)): ClusterBuilder {
    if (!this.facts.nodes.some((n) => n.name === name)) throw new Error(`the test's cluster has no node ${name}`);
    const nodes = this.facts.nodes.map((n) => (n.name === name ? { ...n, ...(typeof change === 'function' ? change(n) : change) } : n));
    return this.withFacts({ nodes });
  }
  private changeComponents(change: (component: ComponentFacts) => ComponentFacts): ClusterBuilder {
    return this.facts.components.known ? this.withFacts({ components: known(this.facts.components.value.map(change)) }) : this;
  }
}

const minorNumber = (version: string): number => Number(version.split('.')[1]);
const configApiOf = (minor: number): string => `kubeadm.k8s.io/${minor >= 31 ? 'v1beta4' : minor >= 22 ? 'v1beta3' : 'v1beta2'}`;
const packagesAt = (version: string): HostFacts['packages'] => ({ kubeadm: `${version}-1.1`, kubelet: `${version}-1.1`, kubectl: `${version}-1.1`, held: ['kubeadm', 'kubectl', 'kubelet'], audit: [] });
const specOf = ({ name, role }: NodeFacts): NodeSpec => ({ name, host: `host-${name}`, role, labels: {} });

function aComponent(component: string, version: string, node: string): ComponentFacts {
  return { component, node, version, image: `registry.k8s.io/${component}:v${version}`, ready: true };
}

function aNode(name: string, role: Role, index: number, version: string): NodeFacts {
  const machineId = `machine-${name}`;
  const address = `10.0.${role === 'worker' ? 1 : 0}.${index + 1}`;
  const api: ApiNodeFacts = {
    name, role, machineId, kubeletVersion: `v${version}`, containerRuntime: 'containerd://2.4.2', ready: true, pressures: [], unschedulable: false,
    addresses: [address, name], labels: {},
  };
  return { name, role, configured: true, api, host: { reached: true, host: aHost(role, machineId, version) } };
}

const GIB = 1024 ** 3;
function aHost(role: Role, machineId: string, version: string): HostFacts {
  const next = `1.${minorNumber(version) + 1}.2-1.1`;
  const controlPlane = role === 'control-plane';
  return {
    bootId: `boot-${machineId}`, machineId, os: 'debian 12', packageManager: 'apt', kernel: '6.1.0', cgroup: 'v2', kubeadmVersion: version, kubeletVersion: version,
    packages: packagesAt(version),
    repositories: [{ file: '/etc/apt/sources.list.d/kubernetes.list', line: `deb … v1.${minorNumber(version)}/deb/ /`, minor: `1.${minorNumber(version)}`, keyExpires: FAR }],
    candidates: known({ version: next, kubeadm: [next], kubelet: [next], kubectl: [next] }),
    freeBytes: { '/': 20 * GIB, '/var/lib/kubelet': 20 * GIB, ...(controlPlane ? { '/var/lib/etcd': 20 * GIB } : {}) },
    etcdBytes: controlPlane ? 200_000_000 : 0,
    clockOffsetMs: 0,
    certificates: known(controlPlane ? [{ name: 'apiserver', expires: FAR, authority: false }, { name: 'ca', expires: FAR, authority: true }] : []),
    manifests: controlPlane ? ['etcd.yaml', 'kube-apiserver.yaml', 'kube-controller-manager.yaml', 'kube-scheduler.yaml'] : [],
    kubeletFlags: ['--node-ip=10.0.0.1'],
    rebootRequired: false,
  };
}

const EMPTY: World = {
  facts: {
    cluster: 'demo', takenAt: NOW, apiServer: known('1.36.3'), clusterUid: known('uid-1'),
    kubeadm: known({ version: '1.36.3', apiVersion: 'kubeadm.k8s.io/v1beta4', clusterName: 'kubernetes', imageRepository: 'registry.k8s.io', externalEtcd: false, extraArgs: {} }),
    nodes: [], components: known([]), etcd: known({ topology: 'stacked', members: [], flags: [] }), budgets: known([]), pods: known([]), deprecatedApis: known([]),
    nodeMonitorGraceSeconds: 50, workerMachineId: 'machine-of-the-worker', workerAddresses: ['192.0.2.7', '127.0.0.1'],
  },
  spec: {
    cluster: 'demo',
    ssh: { user: 'root', port: 22, agent: false, knownHosts: '/root/.ssh/known_hosts', sudo: 'auto', connectTimeoutSeconds: 10, keepAliveSeconds: 5 },
    nodes: [],
    packages: { repository: 'https://pkgs.k8s.io/core:/stable:/v{minor}/deb/' },
    upgrade: { workers: 'rolling', maxUnavailable: '1', maxParallel: 10, order: [], ignorePreflightErrors: [], drainAllAtOnce: false },
    drain: { timeoutSeconds: 1200, deleteEmptyDirData: false, evictUnmanaged: false },
    ready: { timeoutSeconds: 600, steadySeconds: 30 },
    backup: { folder: '/backups' },
    approvals: { upgrade: false },
  },
};

/** One control plane and two workers at 1.36.3; the repositories offer 1.37.2. */
export const aCluster = (): ClusterBuilder => new ClusterBuilder(EMPTY).withControlPlanes(1).withWorkers(2);

/** A running pod with a controller. */
export const aPod = (name: string, node: string, change: Partial<DrainPodFacts> = {}): DrainPodFacts => ({
  namespace: 'shop', name, node, controller: 'ReplicaSet/web', emptyDir: false, mirror: false, daemonSet: false, finished: false, ...change,
});

/** A budget over `shop/NAME` pods on nodes, with room for one disruption. */
export const aBudget = (name: string, pods: Readonly<Record<string, string>>, change: Partial<BudgetFacts> = {}): BudgetFacts => {
  const count = Object.keys(pods).length;
  return {
    namespace: 'shop', name, disruptionsAllowed: 1, expectedPods: count, currentHealthy: count, desiredHealthy: count - 1, observed: true,
    pods: Object.entries(pods).map(([pod, node]) => ({ name: `shop/${pod}`, node })), ...change,
  };
};
