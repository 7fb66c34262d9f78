/** What a cluster should look like: the configuration file with every default filled in. Plain JSON, no secrets. */

export type Role = 'control-plane' | 'worker';

export interface NodeSpec {
  /** The Kubernetes node name. */
  readonly name: string;
  /** Address or host name for SSH. */
  readonly host: string;
  /** Overrides `ssh.port`. */
  readonly port?: number;
  /** Overrides `ssh.user`. */
  readonly user?: string;
  readonly role: Role;
  readonly labels: Readonly<Record<string, string>>;
}

export interface BastionSpec {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly identity?: string;
}

export interface SshSpec {
  readonly user: string;
  readonly port: number;
  /** Private key file (absolute path). Its content never leaves the worker's memory. */
  readonly identity?: string;
  /** Use the agent at SSH_AUTH_SOCK of the worker. */
  readonly agent: boolean;
  /** known_hosts file (absolute path); every host key is verified against it. */
  readonly knownHosts: string;
  readonly bastion?: BastionSpec;
  /** `auto`: sudo when the user is not root. */
  readonly sudo: 'auto' | 'always' | 'never';
  readonly connectTimeoutSeconds: number;
  readonly keepAliveSeconds: number;
}

export interface PackagesSpec {
  /** Base of the minor's package repository; `{minor}` stands for e.g. `1.37`. */
  readonly repository: string;
  /** Package revision to insist on (`1.1`); without it the newest of that version. */
  readonly revision?: string;
  readonly proxy?: string;
}

export type WorkerStrategy = 'rolling' | 'all-at-once';

export interface UpgradeSpec {
  readonly workers: WorkerStrategy;
  /** A count (`1`) or a share of the workers (`20%`). */
  readonly maxUnavailable: string;
  /** Cap of nodes in parallel for `all-at-once`. */
  readonly maxParallel: number;
  /** Node names that go first, in this order. */
  readonly order: readonly string[];
  /** Names of kubeadm preflight checks to ignore, as kubeadm spells them. */
  readonly ignorePreflightErrors: readonly string[];
  /** Directory on the control-plane nodes with kubeadm patches. */
  readonly patches?: string;
  /** Drain in `all-at-once` as well. */
  readonly drainAllAtOnce: boolean;
}

export interface DrainSpec {
  /** After this long with blockers the node stops and asks. Never forced. */
  readonly timeoutSeconds: number;
  /** A ceiling for the pods' own grace period; a pod that is cut short is reported. */
  readonly maxGraceSeconds?: number;
  /** Evict pods with emptyDir data (their data is lost). */
  readonly deleteEmptyDirData: boolean;
  /** Evict pods without a controller (they do not come back). */
  readonly evictUnmanaged: boolean;
}

export interface ReadySpec {
  /** From the kubelet's restart to Ready at the new version. */
  readonly timeoutSeconds: number;
  /** Ready must have held this long. */
  readonly steadySeconds: number;
}

export interface BackupSpec {
  /** The operator's folder for snapshots, on the worker's machine (absolute path). */
  readonly folder: string;
}

export interface ApprovalsSpec {
  /** Wait for `approve` with the plan's digest before anything is changed. */
  readonly upgrade: boolean;
}

/** One cluster as drydock.yaml describes it. */
export interface ClusterSpec {
  readonly cluster: string;
  /** Kubeconfig file (absolute path); without it, admin.conf is read through SSH from a control-plane node. */
  readonly kubeconfig?: string;
  readonly ssh: SshSpec;
  readonly nodes: readonly NodeSpec[];
  readonly packages: PackagesSpec;
  readonly upgrade: UpgradeSpec;
  readonly drain: DrainSpec;
  readonly ready: ReadySpec;
  readonly backup: BackupSpec;
  readonly approvals: ApprovalsSpec;
}

export const isControlPlane = (node: { readonly role: Role }): boolean => node.role === 'control-plane';
export const isWorker = (node: { readonly role: Role }): boolean => node.role === 'worker';
