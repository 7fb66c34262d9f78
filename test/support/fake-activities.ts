import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../activities/index.js';
import type { Role } from '../../domain/cluster.js';
import { type FailureKind, isRetryable } from '../../domain/failure.js';
import type { Plan, PlannedNode } from '../../domain/plan.js';

const packages = { kubeadm: '1.37.2-1.1', kubelet: '1.37.2-1.1', kubectl: '1.37.2-1.1' };

export const planned = (name: string, role: Role, more: Partial<PlannedNode> = {}): PlannedNode => ({
  name, role, from: '1.36.3', to: '1.37.2', packages, kubeadm: role === 'control-plane' ? 'apply' : 'node', drain: true, keepCordon: false, pods: 3, budgets: [], done: false, ...more,
});

export const aPlan = (cluster: string, nodes: readonly PlannedNode[], maxUnavailable = 1): Plan => ({
  cluster, clusterUid: 'uid', from: '1.36.3', to: '1.37.2', hops: [{ from: '1.36.3', to: '1.37.2', minor: '1.37', nodes }], policy: { workers: 'rolling', maxUnavailable }, warnings: [],
  estimateSeconds: 300, digest: 'd1gest',
});

/** A failure as an activity throws it. */
export const failing = (kind: FailureKind, message = `${kind} for the test`): ApplicationFailure =>
  ApplicationFailure.create({ type: kind, message, nonRetryable: !isRetryable(kind), details: [{ output: null, next: '' }] });

type Override = Partial<{ [K in keyof Activities]: (input: Parameters<Activities[K]>[0]) => unknown }>;

export interface Recorded {
  readonly calls: string[];
  readonly activities: object;
}

/**
 * Activities that note every call as `name node#attempt`. What a test does not override succeeds with the smallest right answer; there is no catch-all, so
 * an activity that nobody wrote here fails the workflow.
 */
export function recordedActivities(plan: Plan, override: Override = {}): Recorded {
  const calls: string[] = [];
  const base: Override = {
    tryPlan: () => ({ plan, refusals: [], warnings: [] }),
    planUpgradeOf: () => ({ plan, approve: false }),
    workloadsOf: () => ({ ready: {}, unwellPods: [] }),
    snapshotEtcd: () => ({ node: 'cp1', nodeFile: '/var/lib/drydock/snapshots/x.db', file: '/backups/x.db', bytes: 1, sha256: 'aa', revision: 7, etcdVersion: '3.6.8', takenAt: '2026-01-01T00:00:00Z' }),
    controlPlaneWhole: () => ({ whole: true, why: '' }),
    workersAway: () => ({ away: [] }),
    prepareNode: () => undefined,
    cordonNode: () => ({ ours: true }),
    uncordonNode: () => ({ uncordoned: true }),
    drainNode: () => ({ drained: true, blockers: [], evicted: 3, remaining: 0 }),
    installPackages: () => undefined,
    runKubeadmUpgrade: () => undefined,
    restartKubelet: () => ({ restartedAt: new Date().toISOString() }),
    evictionWindowOf: () => ({ seconds: null, firstPod: '', why: '' }),
    waitForNode: () => ({ passed: true, why: '' }),
    waitForControlPlane: () => ({ passed: true, why: '' }),
    verifyUpgrade: () => ({ lessReady: [] }),
  };
  const activities = Object.fromEntries(
    Object.entries({ ...base, ...override }).map(([name, act]) => [
      name,
      (input: { node?: string; step?: string; attempt?: number }) => {
        calls.push([name, input.node, input.step].filter(Boolean).join(' ') + (input.attempt !== undefined && input.attempt > 1 ? `#${input.attempt}` : ''));
        return Promise.resolve((act as (given: unknown) => unknown)(input));
      },
    ]),
  );
  return { calls, activities };
}
