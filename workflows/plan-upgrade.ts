import { CancellationScope } from '@temporalio/workflow';
import { asked } from './activity-proxies.js';
import { validateUpgradeInput } from './inputs.js';
import type { PlanAnswer, UpgradeInput } from './messages.js';

/** Facts, preflight and plan of an upgrade; changes nothing. `to` may be `next` here: the minor after the cluster's. `check` shows its findings, `plan upgrade` its plan. */
export async function planClusterUpgrade(input: UpgradeInput): Promise<PlanAnswer> {
  validateUpgradeInput(input, 'next');
  return CancellationScope.cancellable(() => asked('inspect the cluster and plan').tryPlan(input));
}
