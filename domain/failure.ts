/** The closed set of failures that leave an activity. Each kind says what happens next; docs/troubleshooting.md has an entry by each name. */
export const FAILURES = {
  // SSH
  HostUnreachable: { retry: true, exitCode: 4, next: 'Check the address, the network and that sshd runs on the node; drydock keeps trying until the step\'s deadline.' },
  HostKeyUnknown: { retry: false, exitCode: 2, next: 'Add the host key to the known_hosts file after checking its fingerprint on the machine itself (`drydock init` shows and records it).' },
  HostKeyChanged: { retry: false, exitCode: 2, next: 'Find out why the host key changed. If the machine was reinstalled, remove the old line from known_hosts and record the new key.' },
  SshAuthentication: { retry: false, exitCode: 2, next: 'Check ssh.user and ssh.identity, and that the public key is in authorized_keys on the node.' },
  SshKeyUnreadable: { retry: false, exitCode: 2, next: 'Check ssh.identity: the file must exist, be readable by the worker, and hold a private key without passphrase (or load it into the agent and set ssh.agent).' },
  SudoPassword: { retry: false, exitCode: 2, next: 'Allow the SSH user sudo without a password (NOPASSWD), or connect as root.' },
  ConnectionLost: { retry: true, exitCode: 4, next: 'The connection dropped; the step goes on on the node and drydock attaches again.' },
  // Steps on nodes
  CommandFailed: { retry: false, exitCode: 4, next: 'Read the output above (whole in /var/lib/drydock on the node), repair the node, then `drydock retry NODE`; or `skip`, or `abort`.' },
  StepInterrupted: { retry: false, exitCode: 4, next: 'The node restarted or the unit was killed while the command ran. Look at the node, then `drydock retry NODE`.' },
  NodeSilent: { retry: false, exitCode: 4, next: 'See whether the machine is on and can be reached. What was started there goes on; `drydock retry NODE` attaches to it again.' },
  PackageLockHeld: { retry: false, exitCode: 4, next: 'Another package run kept the lock on the node for ten minutes. See which (`fuser -v /var/lib/dpkg/lock-frontend`), let it end, then `drydock retry NODE`.' },
  PackageUnavailable: { retry: false, exitCode: 3, next: 'The repository does not offer that version. Choose one it has, or correct packages.repository.' },
  // Kubernetes
  ApiUnreachable: { retry: true, exitCode: 6, next: 'The API server does not answer; drydock keeps trying until the step\'s deadline.' },
  ApiForbidden: { retry: false, exitCode: 2, next: 'The kubeconfig has no right to do this. Use one with cluster-admin.' },
  KubeconfigInvalid: { retry: false, exitCode: 2, next: 'Check `kubeconfig` in drydock.yaml: the file must exist, be readable by the worker, and name a cluster and a user.' },
  WrongCluster: { retry: false, exitCode: 2, next: 'The kubeconfig belongs to another cluster than the nodes in drydock.yaml. Correct one of them.' },
  NodeNotFound: { retry: false, exitCode: 2, next: 'The cluster has no node of that name. Check `kubectl get nodes` and `nodes` in drydock.yaml.' },
  DrainBlocked: { retry: false, exitCode: 4, next: 'Make room for the blocking pods (scale up, relax the budget, repair them), then `drydock retry NODE`; or `skip`, or `abort`.' },
  DrainRefused: { retry: false, exitCode: 4, next: 'Some pods may not be evicted under the drain rules. Change `drain` in drydock.yaml or move the pods, then `drydock retry NODE`.' },
  NodeNotReady: { retry: false, exitCode: 4, next: 'See why the kubelet does not come up (`journalctl -u kubelet` on the node), repair it, then `drydock retry NODE`; or `skip`, or `abort`.' },
  GateNotPassed: { retry: false, exitCode: 4, next: 'A control-plane component did not become healthy. Repair it, then `drydock retry NODE`.' },
  WorkloadNotReady: { retry: false, exitCode: 4, next: 'Workloads that were whole before are not now. Look at the pods named, then `drydock retry NODE`.' },
  // Backup
  SnapshotFailed: { retry: false, exitCode: 4, next: 'The etcd snapshot could not be taken or did not verify; nothing was changed. Repair etcd or the backup folder, then `drydock retry`.' },
  BackupFolder: { retry: false, exitCode: 2, next: 'Check backup.folder: it must exist or be creatable, be writable by the worker, and have room.' },
  // Configuration and plan
  ConfigInvalid: { retry: false, exitCode: 2, next: 'Correct the configuration file.' },
  ClusterUnknown: { retry: false, exitCode: 2, next: 'No worker knows this cluster: start one with its configuration file (`drydock worker --config FILE`).' },
  InputInvalid: { retry: false, exitCode: 2, next: 'Correct the input; docs/workflows.md lists the fields.' },
  PlanRefused: { retry: false, exitCode: 3, next: 'Resolve the refusals above; `drydock check` shows them again.' },
  PlanChanged: { retry: false, exitCode: 3, next: 'The cluster is no longer what the plan was made for. Make and approve a new plan.' },
  Aborted: { retry: false, exitCode: 5, next: 'Nothing more is done. The report names the state of each node.' },
  Defect: { retry: false, exitCode: 1, next: 'This is a defect in drydock. Please report it with the output above.' },
} as const satisfies Record<string, { retry: boolean; exitCode: number; next: string }>;

export type FailureKind = keyof typeof FAILURES;

/** A failure as it is shown and kept: one of the closed set, with what was seen. `output` is cut and redacted. */
export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
  readonly output?: string;
}

export function isFailureKind(text: string | null | undefined): text is FailureKind {
  return typeof text === 'string' && Object.hasOwn(FAILURES, text);
}

export const nextAction = (kind: FailureKind): string => FAILURES[kind].next;
export const exitCodeOf = (kind: FailureKind): number => FAILURES[kind].exitCode;
export const isRetryable = (kind: FailureKind): boolean => FAILURES[kind].retry;
/** Kinds that Temporal must not retry. */
export const PERMANENT_KINDS: readonly FailureKind[] = (Object.keys(FAILURES) as FailureKind[]).filter((kind) => !FAILURES[kind].retry);
