import { ApplicationFailure, CancellationScope, type ChildWorkflowHandle, condition, ParentClosePolicy, sleep, startChild } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { WorkloadBaseline } from '../activities/workloads.js';
import type { Hop, Plan, PlannedNode } from '../domain/plan.js';
import { long, short } from './activity-proxies.js';
import { inBatches } from './batches.js';
import { failureOf } from './failure-of.js';
import { maintenanceId, nodeId } from './messages.js';
import { AbortedByOperator, type RunControl } from './run-control.js';
import { upgradeNode } from './upgrade-node.js';

/** Nodes that fetch ahead at once: beside them the control plane's own steps need room on the worker. */
const AHEAD = 20;
const LOOK_AGAIN_SECONDS = { first: 5, most: 60 };

/** The nodes of one hop: each in a workflow of its own, with its own history and page in the web UI. */
export class NodeRuns {
  private readonly prepared = new Set<string>();
  private readonly preparing = new CancellationScope();

  constructor(private readonly run: RunControl, private readonly plan: Plan, private readonly hop: Hop, private readonly baseline: WorkloadBaseline) {}

  /**
   * Packages and images come down on the workers while the control plane is being upgraded. It has a record of its own (attempt 0), so that a failure here is not
   * one of the node: its own chain fetches again.
   */
  prepareAhead(nodes: readonly PlannedNode[]): void {
    const { cluster, clusterUid } = this.plan;
    const ahead = this.preparing.run(() =>
      inBatches(nodes, AHEAD, () => Promise.resolve(!this.run.isAborted), async (node) => {
        try {
          await long(`${node.name}: fetch packages and images ahead`).prepareNode({
            cluster, clusterUid, node: node.name, run: this.run.snapshot.run, attempt: 0, minor: this.hop.minor, kubernetesVersion: this.hop.to, packages: node.packages, controlPlane: false });
        } catch {
          // Told by the node's own chain, if it fails there too.
        } finally {
          this.prepared.add(node.name);
        }
      }));
    ahead.catch(() => undefined);
  }

  stopPreparing(): void {
    this.preparing.cancel();
  }

  /** A worker may start while fewer than maxUnavailable are away, whoever took them away. False: no other is to be started in this hop. */
  async mayStart(node: PlannedNode): Promise<boolean> {
    await this.run.mayStartNode();
    if (this.run.anyNodeFailed) return false;
    // apt takes one run at a time: what is being fetched ahead is let end.
    await condition(() => this.prepared.has(node.name) || this.run.isAborted);
    if (this.plan.policy.workers === 'all-at-once') return true;
    for (let pause = LOOK_AGAIN_SECONDS.first; ; pause = Math.min(pause * 2, LOOK_AGAIN_SECONDS.most)) {
      await this.run.mayStartNode();
      if (this.run.anyNodeFailed) return false;
      const others = await this.othersAway(node);
      if (others.length < this.plan.policy.maxUnavailable) break;
      this.run.waitFor(`room to start ${node.name}: away already are ${others.join(', ')}, at most ${this.plan.policy.maxUnavailable} may be`);
      await sleep(`${pause} seconds`, { summary: `${node.name}: other workers are away` });
    }
    this.run.waitFor(null);
    return true;
  }

  /** Workers that are at work here, NotReady, or cordoned since the plan. Those that a person left cordoned before, or skipped, are that person's word. */
  private async othersAway(node: PlannedNode): Promise<string[]> {
    const { away } = await short('which workers are away').workersAway({ cluster: this.plan.cluster, clusterUid: this.plan.clusterUid });
    const meant = new Set(this.hop.nodes.filter((other) => other.keepCordon || this.run.stateOf(other.name) === 'skipped').map((other) => other.name));
    const atWork = this.hop.nodes.filter((other) => ['running', 'waiting'].includes(this.run.stateOf(other.name) ?? '')).map((other) => other.name);
    return [...new Set([...away.map((other) => other.name).filter((name) => !meant.has(name)), ...atWork])].filter((name) => name !== node.name);
  }

  async upgrade(node: PlannedNode): Promise<void> {
    const { run } = this;
    await run.mayStartNode();
    run.setNode(node.name, { state: 'running', step: 'starting', since: new Date().toISOString(), from: node.from, to: node.to, error: null });
    try {
      const child = await this.start(node);
      const result = await child.result();
      run.setNode(node.name, { state: result.state });
    } catch (error) {
      if (error instanceof AbortedByOperator) {
        run.setNode(node.name, { state: 'notStarted', step: '', since: null });
        throw error;
      }
      // Its workflow was terminated by hand, or met a defect: nobody knows more than that it is not done.
      const failure = failureOf(error);
      run.setNode(node.name, { state: 'failed', error: failure });
      run.event('NodeFailed', `${node.name}'s own workflow ended: ${failure.message} Look at the node before anything else.`, node.name);
    }
  }

  /** A terminated run's chain may still be at work on this node: it is let finish, then ours begins. */
  private async start(node: PlannedNode): Promise<ChildWorkflowHandle<typeof upgradeNode>> {
    for (let told = false; ; told = true) {
      const paused = this.run.isPaused;
      try {
        const child = await startChild(upgradeNode, this.options(node, paused));
        await this.run.catchUp(node.name, paused);
        return child;
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        if (!told) this.run.event('NodeBusy', `An earlier run is still at work on ${node.name}; it is let finish first.`, node.name);
        await sleep('5 seconds', { summary: `${node.name}: an earlier run is still at work` });
        await this.run.mayGoOn();
      }
    }
  }

  private options(node: PlannedNode, paused: boolean) {
    const { cluster, clusterUid } = this.plan;
    const status = this.run.snapshot.nodes.find((candidate) => candidate.name === node.name);
    if (!status) throw ApplicationFailure.nonRetryable(`No status of ${node.name}`, 'Defect');
    return {
      workflowId: nodeId(cluster, node.name),
      // A terminated maintenance must not leave a node half done on the quiet: its own workflow goes on to the end of its chain or to its first failure.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowTaskTimeout: '5 seconds',
      staticSummary: `${node.name}: ${node.from} → ${node.to}`,
      args: [{
        cluster, clusterUid, node: status, maintenance: maintenanceId(cluster), run: this.run.snapshot.run, minor: this.hop.minor, kubernetesVersion: this.hop.to,
        kubeadm: node.kubeadm, packages: node.packages, drain: node.drain, ignorePods: this.baseline.unwellPods, paused }] as [Parameters<typeof upgradeNode>[0]],
    } as const;
  }
}
