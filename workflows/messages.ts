/**
 * The contract with everybody who starts, follows or steers a maintenance: workflow types, ids, messages and their shapes.
 * Names here are an API (docs/workflows.md). Nothing but types and constants, so that any program can import it.
 */
export type { Discovered, DiscoverInput } from '../activities/discover.js';
import type { WorkerStrategy } from '../domain/cluster.js';
import type { Finding, Plan } from '../domain/plan.js';
import type { NodeState, NodeStatus, RunStatus } from '../domain/status.js';

export const TASK_QUEUE = 'drydock';

/** One open maintenance a cluster: the server itself refuses a second run of this id. */
export const maintenanceId = (cluster: string): string => `maintenance/${cluster}`;
export const nodeId = (cluster: string, node: string): string => `maintenance/${cluster}/node/${node}`;

/** Search attributes, all Keyword. */
export const SEARCH_ATTRIBUTES = ['DrydockCluster', 'DrydockOperation', 'DrydockVersion', 'DrydockState'] as const;

/** Query `status`: a RunStatus, on open and closed runs. Query `plan`: the Plan, or null before there is one. */
export const STATUS = 'status';
export const PLAN = 'plan';

/** Updates. Each takes one OperatorSay and answers with a Said. */
export const UPDATES = ['pause', 'resume', 'retry', 'skip', 'abort', 'approve'] as const;
export type UpdateName = (typeof UPDATES)[number];

/** What a person says to a running maintenance. Recorded with the run. */
export interface OperatorSay {
  /** Who: `alice@bastion`. */
  readonly by: string;
  readonly why?: string;
  /** The node meant, for retry and skip. */
  readonly node?: string;
  /** The plan's digest, for approve. */
  readonly digest?: string;
}

export interface Said {
  readonly said: string;
}

/** Input of workflow `upgradeCluster` and of `planClusterUpgrade`. */
export interface UpgradeInput {
  /** Name of the cluster, as in the configuration that a worker holds. */
  readonly cluster: string;
  /** `1.37` (newest patch the repositories offer) or `1.37.2`. */
  readonly to: string;
  /** Digest of the plan that was approved: the run is refused when the world no longer gives that plan. */
  readonly digest?: string;
  /** Overrides `upgrade.workers`. */
  readonly workers?: WorkerStrategy;
  /** Overrides `upgrade.maxUnavailable`. */
  readonly maxUnavailable?: string;
}

/** Result of workflow `planClusterUpgrade`. */
export interface PlanAnswer {
  readonly plan: Plan | null;
  readonly refusals: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** Result of workflow `upgradeCluster`. Expected bad ends are results, not failures: `state` tells. */
export interface UpgradeResult {
  readonly state: 'done' | 'failed' | 'aborted';
  readonly status: RunStatus;
}

/** Input of child workflow `upgradeNode`. */
export interface UpgradeNodeInput {
  readonly cluster: string;
  /** uid of kube-system when the plan was made: every step refuses to work on another cluster of that name. */
  readonly clusterUid: string;
  readonly node: NodeStatus;
  /** Id of the maintenance (parent) and of the run, which names records on the node. */
  readonly maintenance: string;
  readonly run: string;
  readonly minor: string;
  readonly kubernetesVersion: string;
  readonly kubeadm: 'apply' | 'node';
  readonly packages: { readonly kubeadm: string; readonly kubelet: string; readonly kubectl: string };
  readonly drain: boolean;
  readonly ignorePods: readonly string[];
  readonly paused: boolean;
}

export interface NodeResult {
  readonly state: Extract<NodeState, 'done' | 'skipped' | 'aborted'>;
  readonly message: string;
}

/** Signal `report`, child to maintenance: what changed on a node since the last one. */
export interface NodeReport {
  readonly node: NodeStatus;
  readonly blockers: RunStatus['blockers'];
  readonly events: RunStatus['events'];
  readonly steps: RunStatus['steps'];
  readonly evicted: number;
}
export const REPORT = 'report';

/** Signal `say`, maintenance to child. */
export interface ChildSay extends OperatorSay {
  readonly what: 'pause' | 'resume' | 'retry' | 'skip' | 'abort';
}
export const SAY = 'say';
