/** What a running maintenance says of itself: `status --json`, the web UI and the live view all read this. Plain JSON. */
import type { Role } from './cluster.js';
import type { Failure } from './failure.js';

export type RunState = 'running' | 'paused' | 'waiting' | 'done' | 'failed' | 'aborted';
export type NodeState = 'notStarted' | 'running' | 'waiting' | 'done' | 'failed' | 'skipped' | 'aborted';

/** What keeps a pod on a node that is being drained. */
export interface Blocker {
  /** `namespace/name` */
  readonly pod: string;
  readonly node: string;
  /** One sentence that names the budget or the cause. */
  readonly reason: string;
  /** `namespace/name` of the budget, when one is the cause. */
  readonly budget?: string;
  /** ISO 8601: first seen blocked. */
  readonly since: string;
}

export interface NodeStatus {
  readonly name: string;
  readonly role: Role;
  readonly state: NodeState;
  /** `drain`, `kubeadm upgrade apply`: what is under way, or was last. */
  readonly step: string;
  /** ISO 8601: when the step (or the end state) began. */
  readonly since: string | null;
  readonly from: string;
  readonly to: string;
  readonly error: Failure | null;
}

export interface RunEvent {
  /** ISO 8601. */
  readonly at: string;
  /** Stable name: `EvictionWindowClosed`, `NodeDone`, `OperatorPaused`. */
  readonly name: string;
  readonly node?: string;
  readonly message: string;
}

/** One finished step, for the summary by phase. */
export interface StepTime {
  readonly node?: string;
  readonly step: string;
  readonly startedAt: string;
  readonly seconds: number;
}

export interface RunStatus {
  readonly cluster: string;
  /** Temporal run id of the chain's first run. */
  readonly run: string;
  readonly operation: string;
  readonly state: RunState;
  readonly step: string;
  readonly since: string;
  readonly waitingFor: string | null;
  readonly blockers: readonly Blocker[];
  readonly nodes: readonly NodeStatus[];
  readonly from: string | null;
  readonly to: string;
  /** Digest of the plan that is carried out. */
  readonly digest: string | null;
  readonly events: readonly RunEvent[];
  readonly steps: readonly StepTime[];
  readonly evictions: number;
}
