/**
 * What was seen of a cluster at one moment. Gathered by activities, judged by pure functions.
 *
 * A question that could not be answered is `{known: false, why}`, never a default: the checks refuse what they do not know.
 */
import type { Role } from './cluster.js';
import type { FailureKind } from './failure.js';

export type Answer<T> = { readonly known: true; readonly value: T } | { readonly known: false; readonly why: string };

export const known = <T>(value: T): Answer<T> => ({ known: true, value });
export const unknown = (why: string): Answer<never> => ({ known: false, why });

export interface PackageFacts {
  /** Installed version with revision (`1.36.3-1.1`), absent when not installed. */
  readonly kubeadm?: string;
  readonly kubelet?: string;
  readonly kubectl?: string;
  /** Held by `apt-mark hold`. */
  readonly held: readonly string[];
  /** Output lines of `dpkg --audit`: half-configured packages. Empty when all is well. */
  readonly audit: readonly string[];
}

export interface RepositoryFacts {
  /** File below /etc/apt that names the Kubernetes repository. */
  readonly file: string;
  readonly line: string;
  /** The minor in its URL (`1.36`), absent when the URL names none. */
  readonly minor?: string;
  /** End of the newest signing key of that repository, ISO 8601; absent when it has no signed-by file or no end. */
  readonly keyExpires?: string;
}

export interface CandidateFacts {
  /** Version asked for (`1.37.2`). */
  readonly version: string;
  /** Full versions with revision that the minor's repository offers, newest first. */
  readonly kubeadm: readonly string[];
  readonly kubelet: readonly string[];
  readonly kubectl: readonly string[];
}

export interface CertificateFacts {
  readonly name: string;
  /** ISO 8601. */
  readonly expires: string;
  readonly authority: boolean;
}

/** What SSH told about one node. All of it from reads. */
export interface HostFacts {
  readonly bootId: string;
  readonly machineId: string;
  /** e.g. `debian 12`. */
  readonly os: string;
  readonly packageManager: 'apt' | 'other';
  readonly kernel: string;
  readonly cgroup: 'v1' | 'v2';
  readonly kubeadmVersion?: string;
  readonly kubeletVersion?: string;
  readonly packages: PackageFacts;
  readonly repositories: readonly RepositoryFacts[];
  readonly candidates: Answer<CandidateFacts>;
  /** Free bytes by path: /, /var/lib/etcd, /var/lib/kubelet, /var/cache/apt. Paths that do not exist are absent. */
  readonly freeBytes: Readonly<Record<string, number>>;
  /** Bytes of /var/lib/etcd/member, 0 on a node without. */
  readonly etcdBytes: number;
  /** Milliseconds that the node's clock is ahead of the worker's (negative: behind), less half the round trip. */
  readonly clockOffsetMs: number;
  readonly certificates: Answer<readonly CertificateFacts[]>;
  /** Names of the manifests in /etc/kubernetes/manifests. */
  readonly manifests: readonly string[];
  /** Flags of /var/lib/kubelet/kubeadm-flags.env and /etc/default/kubelet. */
  readonly kubeletFlags: readonly string[];
  /** `failCgroupV1` of /var/lib/kubelet/config.yaml, absent when not set. */
  readonly failCgroupV1?: boolean;
  /** A package run under way (holder of dpkg's or apt's lock), absent when none. */
  readonly packageLockHolder?: string;
  readonly rebootRequired: boolean;
}

export type HostAnswer =
  | { readonly reached: true; readonly host: HostFacts }
  | { readonly reached: false; readonly kind: FailureKind; readonly why: string };

/** One node as the API server knows it. */
export interface ApiNodeFacts {
  readonly name: string;
  readonly role: Role;
  readonly kubeletVersion: string;
  readonly containerRuntime: string;
  readonly machineId: string;
  readonly ready: boolean;
  /** Reason and message when not ready. */
  readonly notReadyWhy?: string;
  /** Pressure conditions that are true. */
  readonly pressures: readonly string[];
  readonly unschedulable: boolean;
  /** The run that cordoned it, from our annotation; absent for an operator's own cordon. */
  readonly cordonedBy?: string;
  readonly addresses: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface NodeFacts {
  readonly name: string;
  readonly role: Role;
  /** In the configuration file. */
  readonly configured: boolean;
  /** As the API server knows it, absent when it has no such node. */
  readonly api?: ApiNodeFacts;
  /** Absent when the node is not in the file, so no address for SSH is known. */
  readonly host?: HostAnswer;
}

export interface ComponentFacts {
  /** `kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `etcd`, `kube-proxy`, `coredns`. */
  readonly component: string;
  readonly node?: string;
  /** Version from the image's tag (`1.36.3`, `3.6.8-0`), absent for a digest. */
  readonly version?: string;
  readonly image: string;
  readonly ready: boolean;
}

export interface EtcdMemberFacts {
  readonly name: string;
  readonly healthy: boolean;
  readonly version?: string;
  readonly learner: boolean;
  readonly leader: boolean;
  readonly dbBytes?: number;
  readonly alarms: readonly string[];
}

export interface EtcdFacts {
  readonly topology: 'stacked' | 'external';
  readonly members: readonly EtcdMemberFacts[];
  /** Flags of the etcd static pods. */
  readonly flags: readonly string[];
}

export interface BudgetFacts {
  readonly namespace: string;
  readonly name: string;
  readonly disruptionsAllowed: number;
  readonly expectedPods: number;
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  /** The controller has seen the newest spec. */
  readonly observed: boolean;
  /** Pods it selects, as `namespace/name` with their node. */
  readonly pods: readonly { readonly name: string; readonly node?: string }[];
}

export interface DrainPodFacts {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly controller?: string;
  readonly emptyDir: boolean;
  readonly mirror: boolean;
  readonly daemonSet: boolean;
  /** Its DaemonSet was looked up and does not exist any more. */
  readonly daemonSetGone?: boolean;
  readonly finished: boolean;
  /** Own tolerationSeconds for not-ready and unreachable; `forever` without a limit; absent without such a toleration. */
  readonly notReadySeconds?: number | 'forever';
  readonly unreachableSeconds?: number | 'forever';
}

export interface DeprecatedApiUse {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** Minor that no longer serves it, `1.37`. */
  readonly removedIn: string;
  /** Where it was seen: `metric …` for a request to the API server, `manifest …` for a stored object. Only the latter is a mere warning. */
  readonly source: string;
}

export interface KubeadmFacts {
  /** kubernetesVersion of the kubeadm-config ConfigMap, `1.36.3`. */
  readonly version: string;
  /** apiVersion of its ClusterConfiguration. */
  readonly apiVersion: string;
  readonly clusterName: string;
  readonly imageRepository: string;
  readonly controlPlaneEndpoint?: string;
  readonly externalEtcd: boolean;
  /** Extra flags by component: `{controllerManager: ['--pod-eviction-timeout=1m']}`. */
  readonly extraArgs: Readonly<Record<string, readonly string[]>>;
}

/** All that was seen. Plain JSON. */
export interface ClusterFacts {
  readonly cluster: string;
  /** ISO 8601. */
  readonly takenAt: string;
  /** Version that the API server answers at /version. */
  readonly apiServer: Answer<string>;
  /** uid of the kube-system namespace: the cluster's identity. */
  readonly clusterUid: Answer<string>;
  readonly kubeadm: Answer<KubeadmFacts>;
  readonly nodes: readonly NodeFacts[];
  readonly components: Answer<readonly ComponentFacts[]>;
  readonly etcd: Answer<EtcdFacts>;
  readonly budgets: Answer<readonly BudgetFacts[]>;
  readonly pods: Answer<readonly DrainPodFacts[]>;
  readonly deprecatedApis: Answer<readonly DeprecatedApiUse[]>;
  /** Seconds of the controller manager's node-monitor grace period. */
  readonly nodeMonitorGraceSeconds: number;
  /** machine-id of the machine that the worker runs on, when it can be read. */
  readonly workerMachineId?: string;
  /** Addresses of the Temporal server and of the worker's machine. */
  readonly workerAddresses: readonly string[];
}
