/** The plan: one value that is printed for approval, carried out, and reported. Plain JSON. */
import type { Role, WorkerStrategy } from './cluster.js';

/** One finding of the preflight. A refusal stops the work; a warning is shown. */
export interface Finding {
  readonly severity: 'refusal' | 'warning';
  /** Stable name, kebab-case, found again in docs/troubleshooting.md: `skipped-minor`. */
  readonly check: string;
  readonly node?: string;
  /** One sentence: what was found and what was wanted. */
  readonly message: string;
  /** What was seen, as data for the reader. */
  readonly evidence: string;
  /** What a person does next. */
  readonly next: string;
}

export interface PlannedNode {
  readonly name: string;
  readonly role: Role;
  /** kubelet version now and after. */
  readonly from: string;
  readonly to: string;
  /** Full package versions to install, `1.37.2-1.1`. */
  readonly packages: { readonly kubeadm: string; readonly kubelet: string; readonly kubectl: string };
  /** Which kubeadm command runs: `apply` on the first control-plane node, else `node`. */
  readonly kubeadm: 'apply' | 'node';
  readonly drain: boolean;
  /** Was cordoned by somebody else before: stays cordoned. */
  readonly keepCordon: boolean;
  /** Pods that the drain moves, by count. */
  readonly pods: number;
  /** Budgets that bind here, as `namespace/name`. */
  readonly budgets: readonly string[];
  /** Everything on this node is already at the target: nothing is done. */
  readonly done: boolean;
}

/** One minor (or patch) step. */
export interface Hop {
  readonly from: string;
  readonly to: string;
  /** `1.37`: names the package repository. */
  readonly minor: string;
  /** In the order in which they are done: control plane first. */
  readonly nodes: readonly PlannedNode[];
}

export interface UpgradePolicy {
  readonly workers: WorkerStrategy;
  /** Resolved count, at least 1. */
  readonly maxUnavailable: number;
}

export interface Plan {
  readonly cluster: string;
  readonly clusterUid: string;
  readonly from: string;
  readonly to: string;
  readonly hops: readonly Hop[];
  readonly policy: UpgradePolicy;
  readonly warnings: readonly Finding[];
  /** Rough seconds in all. */
  readonly estimateSeconds: number;
  /** Short hash over what is carried out (versions, nodes, order, packages), not over warnings or the estimate. */
  readonly digest: string;
}

export type PlanResult =
  | { readonly planned: true; readonly plan: Plan }
  | { readonly planned: false; readonly refusals: readonly Finding[]; readonly warnings: readonly Finding[] };
