import { allHandlersFinished, ApplicationFailure, CancellationScope, condition, executeChild, isCancellation, ParentClosePolicy, sleep } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { Hop, Plan, PlannedNode } from '../domain/plan.js';
import type { WorkloadBaseline } from '../activities/workloads.js';
import { long, short } from './activity-proxies.js';
import { inBatches } from './batches.js';
import { failureOf } from './failure-of.js';
import { validateUpgradeInput } from './inputs.js';
import { nodeId, maintenanceId, type UpgradeInput, type UpgradeResult } from './messages.js';
import { AbortedByOperator, RunControl } from './run-control.js';
import { upgradeNode } from './upgrade-node.js';

/** The whole upgrade of a cluster, top to bottom. Started by `drydock upgrade`, by any Temporal client, or by `temporal workflow start`. */
export async function upgradeCluster(input: UpgradeInput): Promise<UpgradeResult> {
  validateUpgradeInput(input);
  const { cluster } = input;
  const run = new RunControl('upgrade', cluster, input.to);
  return CancellationScope.nonCancellable(async () => {
    abortOnCancel(run);
    try {
      const { plan, approve } = await run.step('inspect and plan', () => short('inspect the cluster and plan').planUpgradeOf(input));
      run.setPlan(plan, nodesOf(plan));
      if (approve) await run.approval(plan);
      const baseline = await run.step('baseline of workloads', () => short('how ready everything is before').workloadsOf({ cluster }));
      const snapshot = await run.step('etcd snapshot', (attempt) => long('etcd snapshot, verified and copied').snapshotEtcd({ cluster, run: run.snapshot.run, attempt }));
      run.event('SnapshotTaken', `${snapshot.file} (${snapshot.bytes} bytes, revision ${snapshot.revision}, sha256 ${snapshot.sha256}); on ${snapshot.node}: ${snapshot.nodeFile}`);

      for (const hop of plan.hops) {
        const todo = hop.nodes.filter((node) => !node.done);
        run.phase(`nodes to ${hop.to}`);
        const ahead = prepareAhead(run, cluster, hop, todo);
        for (const node of todo.filter((candidate) => candidate.role === 'control-plane')) {
          await upgradeOne(run, input, hop, node, baseline);
          if (run.stateOf(node.name) !== 'done') return await stopAfter(run, node);
        }
        await inBatches(todo.filter((candidate) => candidate.role === 'worker'), plan.policy.maxUnavailable, () => run.mayStartNode(), (node) => upgradeOne(run, input, hop, node, baseline));
        await ahead;
        const done = doneNodes(run, hop);
        const { lessReady } = await run.step(`verify ${hop.to}`, () =>
          long('versions, components and workloads compared with the plan').verifyUpgrade({ cluster, to: hop.to, nodes: done, baseline, strict: done.length === hop.nodes.length }));
        if (lessReady.length > 0) run.event('WorkloadsLessReady', `With nodes skipped: ${lessReady.join('; ')}`);
      }
      return await finish(run);
    } catch (error) {
      if (!(error instanceof AbortedByOperator)) throw error;
      await condition(() => !run.snapshot.nodes.some((node) => node.state === 'running' || node.state === 'waiting'));
      return await finish(run);
    }
  });
}

/** Each node in a workflow of its own: own history, own page in the web UI. */
async function upgradeOne(run: RunControl, input: UpgradeInput, hop: Hop, node: PlannedNode, baseline: WorkloadBaseline): Promise<void> {
  await run.mayStartNode();
  const { cluster } = input;
  run.setNode(node.name, { state: 'running', step: 'starting', since: new Date().toISOString(), from: node.from, to: node.to, error: null });
  const status = run.snapshot.nodes.find((candidate) => candidate.name === node.name);
  if (!status) throw ApplicationFailure.nonRetryable(`No status of ${node.name}`, 'Defect');
  try {
    const result = await startedOnce(run, node.name, () => executeChild(upgradeNode, {
      workflowId: nodeId(cluster, node.name),
      // A terminated maintenance must not leave a node half done on the quiet: its own workflow goes on to the end of its chain or to its first failure.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowTaskTimeout: '5 seconds',
      staticSummary: `${node.name}: ${node.from} → ${node.to}`,
      args: [{
        cluster, node: status, maintenance: maintenanceId(cluster), run: run.snapshot.run, minor: hop.minor, kubernetesVersion: hop.to, kubeadm: node.kubeadm,
        packages: node.packages, drain: node.drain, ignorePods: baseline.unwellPods, paused: run.isPaused }],
    }));
    run.setNode(node.name, { state: result.state });
  } catch (error) {
    if (error instanceof AbortedByOperator) {
      run.setNode(node.name, { state: 'notStarted', step: '', since: null });
      throw error;
    }
    // Its workflow was terminated or cancelled by hand, or met a defect: nobody knows more than that it is not done.
    const failure = failureOf(error);
    run.setNode(node.name, { state: 'failed', error: failure });
    run.event('NodeFailed', `${node.name}'s own workflow ended: ${failure.message} Look at the node before anything else.`, node.name);
  }
}

/** A terminated run's chain may still be at work on this node: it is let finish, then ours begins. */
async function startedOnce<T>(run: RunControl, node: string, start: () => Promise<T>): Promise<T> {
  for (let told = false; ; told = true) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      if (!told) run.event('NodeBusy', `An earlier run is still at work on ${node}; it is let finish first.`, node);
      await sleep('5 seconds', { summary: `${node}: an earlier run is still at work` });
      await run.mayGoOn();
    }
  }
}

/** Workers never get ahead of their control plane, nor other control-plane nodes of the first. */
async function stopAfter(run: RunControl, node: PlannedNode): Promise<UpgradeResult> {
  run.event('RestNotStarted', `${node.name} of the control plane is not upgraded, so no other node is started. Repair it and start the upgrade again: what is done stays done.`);
  return finish(run);
}

/** Packages and images come down on all nodes while the control plane is being upgraded. A failure here is not one yet: the node's own chain fetches again. */
async function prepareAhead(run: RunControl, cluster: string, hop: Hop, nodes: readonly PlannedNode[]): Promise<void> {
  await Promise.allSettled(nodes.filter((node) => node.role === 'worker').map((node) =>
    long(`${node.name}: fetch packages and images ahead`).prepareNode({
      cluster, node: node.name, run: run.snapshot.run, attempt: 1, minor: hop.minor, kubernetesVersion: hop.to, packages: node.packages, controlPlane: false })));
}

const doneNodes = (run: RunControl, hop: Hop): string[] =>
  hop.nodes.filter((node) => node.done || run.snapshot.nodes.some((status) => status.name === node.name && status.state === 'done')).map((node) => node.name);

function nodesOf(plan: Plan) {
  return (plan.hops[0]?.nodes ?? []).map((node) => ({
    name: node.name, role: node.role, state: node.done ? ('done' as const) : ('notStarted' as const), step: node.done ? 'nothing to do' : '', since: null, from: node.from, to: node.to, error: null }));
}

async function finish(run: RunControl): Promise<UpgradeResult> {
  await condition(allHandlersFinished);
  const nodes = run.snapshot.nodes;
  const state = run.isAborted ? 'aborted' : nodes.every((node) => node.state === 'done') ? 'done' : 'failed';
  const left = nodes.filter((node) => node.state !== 'done').map((node) => `${node.name} ${node.state}`);
  return { state, status: run.end(state, left.length > 0 ? left.join(', ') : 'all nodes done') };
}

/** The web UI's and Temporal's own "cancel" mean abort: what is safe to undo is undone. */
function abortOnCancel(run: RunControl): void {
  const outer = CancellationScope.current().parent;
  outer?.cancelRequested.catch(async (error: unknown) => {
    if (isCancellation(error) && !run.isAborted) await CancellationScope.nonCancellable(() => run.abort({ by: 'Temporal', why: 'the workflow was cancelled' }));
  });
}
