import { allHandlersFinished, CancellationScope, condition } from '@temporalio/workflow';
import { isControlPlane, isWorker } from '../domain/cluster.js';
import type { Hop, Plan } from '../domain/plan.js';
import { long, short } from './activity-proxies.js';
import { inBatches } from './batches.js';
import { validateUpgradeInput } from './inputs.js';
import type { UpgradeInput, UpgradeResult } from './messages.js';
import { NodeRuns } from './node-runs.js';
import { onCancel } from './on-cancel.js';
import { AbortedByOperator, RunControl } from './run-control.js';

/** The whole upgrade of a cluster, top to bottom. Started by `drydock upgrade`, by any Temporal client, or by `temporal workflow start`. */
export async function upgradeCluster(input: UpgradeInput): Promise<UpgradeResult> {
  validateUpgradeInput(input);
  const run = new RunControl('upgrade', input.cluster, input.to);
  // The web UI's and Temporal's own "cancel" mean abort: what is safe to undo is undone.
  onCancel((why) => void run.abort({ by: 'Temporal', why }));
  return CancellationScope.nonCancellable(() => upgrade(input, run));
}

async function upgrade(input: UpgradeInput, run: RunControl): Promise<UpgradeResult> {
  const { cluster } = input;
  try {
    const { plan, approve } = await run.step('inspect and plan', () => short('inspect the cluster and plan').planUpgradeOf(input));
    const { clusterUid, policy } = plan;
    run.setPlan(plan, nodesOf(plan));
    if (approve) await run.approval(plan);
    const baseline = await run.step('baseline of workloads', () => short('how ready everything is before').workloadsOf({ cluster, clusterUid }));
    const snapshot = await run.step('etcd snapshot', (attempt) => long('etcd snapshot, verified and copied').snapshotEtcd({ cluster, clusterUid, run: run.snapshot.run, attempt }));
    run.event('SnapshotTaken', `${snapshot.file} (${snapshot.bytes} bytes, revision ${snapshot.revision}, sha256 ${snapshot.sha256}); on ${snapshot.node}: ${snapshot.nodeFile}`);

    for (const hop of plan.hops) {
      run.phase(`nodes to ${hop.to}`);
      const todo = hop.nodes.filter((node) => !node.done);
      const nodes = new NodeRuns(run, plan, hop, baseline);
      nodes.prepareAhead(todo.filter(isWorker));
      for (const node of todo.filter(isControlPlane)) {
        await run.step(`control plane whole before ${node.name}`, () => long(`the other control-plane nodes, before ${node.name}`).controlPlaneWhole({ cluster, clusterUid, next: node.name }));
        await nodes.upgrade(node);
        // Workers never get ahead of their control plane, nor other control-plane nodes of the first.
        if (run.stateOf(node.name) !== 'done') return await stopHere(run, `${node.name} of the control plane is not upgraded`);
      }
      await inBatches(todo.filter(isWorker), policy.maxUnavailable, (node) => nodes.mayStart(node), (node) => nodes.upgrade(node));
      nodes.stopPreparing();
      if (run.anyNodeFailed) return await stopHere(run, 'a node ended without a word');
      const done = doneNodes(run, hop);
      const { lessReady } = await run.step(`verify ${hop.to}`, () =>
        long('versions, components and workloads compared with the plan').verifyUpgrade({ cluster, clusterUid, to: hop.to, nodes: done, baseline, strict: done.length === hop.nodes.length }));
      if (lessReady.length > 0) run.event('WorkloadsLessReady', `With nodes skipped: ${lessReady.join('; ')}`);
    }
    return await finish(run);
  } catch (error) {
    if (!(error instanceof AbortedByOperator)) throw error;
    await condition(() => !run.snapshot.nodes.some((node) => node.state === 'running' || node.state === 'waiting'));
    return await finish(run);
  }
}

async function stopHere(run: RunControl, why: string): Promise<UpgradeResult> {
  run.event('RestNotStarted', `${why}, so no other node is started. Repair it and start the upgrade again: what is done stays done.`);
  return finish(run);
}

const doneNodes = (run: RunControl, hop: Hop): string[] => hop.nodes.filter((node) => node.done || run.stateOf(node.name) === 'done').map((node) => node.name);

function nodesOf(plan: Plan) {
  return (plan.hops[0]?.nodes ?? []).map((node) => ({
    name: node.name, role: node.role, state: node.done ? ('done' as const) : ('notStarted' as const), step: node.done ? 'nothing to do' : '', since: null, from: node.from, to: node.to, error: null }));
}

async function finish(run: RunControl): Promise<UpgradeResult> {
  await condition(allHandlersFinished);
  const nodes = run.snapshot.nodes;
  const state = run.isAborted ? 'aborted' : nodes.every((node) => node.state === 'done') ? 'done' : 'failed';
  const left = nodes.filter((node) => node.state !== 'done').map((node) => `${node.name} ${node.state}`);
  return { state, status: run.end(state, left.length > 0 ? left.join(', ') : nodes.length === 0 ? 'ended before any node' : 'all nodes done') };
}
