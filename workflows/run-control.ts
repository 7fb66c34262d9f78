import {
  ApplicationFailure, CancellationScope, condition, defineQuery, defineSignal, defineUpdate, getExternalWorkflowHandle, log, setCurrentDetails, setHandler, upsertSearchAttributes, workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { type Failure, type FailureKind, nextAction } from '../domain/failure.js';
import { statusMarkdown } from '../domain/markdown.js';
import type { Plan } from '../domain/plan.js';
import type { NodeState, NodeStatus, RunEvent, RunState, RunStatus } from '../domain/status.js';
import { failureOf } from './failure-of.js';
import { type ChildSay, type NodeReport, nodeId, type OperatorSay, PLAN, REPORT, type Said, SAY, STATUS, type UpdateName } from './messages.js';

const STATE = defineSearchAttributeKey('DrydockState', SearchAttributeType.KEYWORD);
const CLUSTER = defineSearchAttributeKey('DrydockCluster', SearchAttributeType.KEYWORD);
const OPERATION = defineSearchAttributeKey('DrydockOperation', SearchAttributeType.KEYWORD);
const VERSION = defineSearchAttributeKey('DrydockVersion', SearchAttributeType.KEYWORD);

/** Thrown inside a maintenance to leave it by the operator's abort. */
export class AbortedByOperator extends Error {}

const FINAL: readonly FailureKind[] = ['PlanRefused', 'PlanChanged', 'InputInvalid', 'ClusterUnknown'];

const iso = (): string => new Date().toISOString();

/**
 * What a maintenance keeps of itself, and the operator's say in it: queries, updates with validators, the children's reports.
 * Not a runner: the operation's own file calls `step` in order.
 */
export class RunControl {
  plan: Plan | null = null;
  private status: RunStatus;
  private paused = false;
  private aborted: OperatorSay | undefined;
  private approved: OperatorSay | undefined;
  private decision: 'retry' | undefined;
  private ended = false;
  private lastSaved = '';

  constructor(operation: string, cluster: string, to: string) {
    this.status = {
      cluster, run: workflowInfo().firstExecutionRunId, operation, state: 'running', step: 'starting', since: iso(), waitingFor: null, blockers: [], nodes: [],
      from: null, to, digest: null, events: [], steps: [], evictions: 0,
    };
    this.handle();
    this.publish({});
  }

  get snapshot(): RunStatus {
    return this.status;
  }
  get isPaused(): boolean {
    return this.paused;
  }
  get isAborted(): boolean {
    return this.aborted !== undefined;
  }
  stateOf(name: string): NodeState | undefined {
    return this.status.nodes.find((node) => node.name === name)?.state;
  }
  /** Ended by hand, from outside this maintenance: nobody knows why, so nothing more is started. */
  get anyNodeFailed(): boolean {
    return this.status.nodes.some((node) => node.state === 'failed' || node.state === 'aborted');
  }
  get anyNodeWaiting(): boolean {
    return this.status.nodes.some((node) => node.state === 'waiting');
  }

  /** Runs one step of the whole cluster. A failure waits for retry or abort; a pause holds it back. */
  async step<T>(title: string, act: (attempt: number) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      await this.mayGoOn();
      const startedAt = iso();
      this.publish({ step: title, since: startedAt, waitingFor: null });
      try {
        const result = await act(attempt);
        this.publish({ steps: [...this.status.steps, { step: title, startedAt, seconds: (Date.now() - Date.parse(startedAt)) / 1000 }] });
        return result;
      } catch (error) {
        if (error instanceof AbortedByOperator) throw error;
        const failure = failureOf(error);
        // Nothing has been changed yet, and no decision could help: the run ends with the failure's own name.
        if (FINAL.includes(failure.kind)) throw ApplicationFailure.nonRetryable(failure.message, failure.kind);
        await this.decide(title, failure);
      }
    }
  }

  /** Waits while paused; throws AbortedByOperator after an abort. */
  async mayGoOn(): Promise<void> {
    await condition(() => !this.paused || this.isAborted);
    if (this.isAborted) throw new AbortedByOperator();
  }

  /** A node may start only while no other waits for a decision. */
  async mayStartNode(): Promise<void> {
    await condition(() => (!this.paused && !this.anyNodeWaiting) || this.isAborted);
    if (this.isAborted) throw new AbortedByOperator();
  }

  /** A node's workflow has just started: what was said in the moment before it could hear is said again. */
  async catchUp(node: string, startedPaused: boolean): Promise<void> {
    if (this.aborted) await this.tell({ ...this.aborted, what: 'abort' }, node);
    else if (this.paused !== startedPaused) await this.tell({ by: 'drydock', what: this.paused ? 'pause' : 'resume' }, node);
  }

  /** Shown while a node may not start yet; null when it may. */
  waitFor(what: string | null): void {
    if (this.status.waitingFor !== what) this.publish({ waitingFor: what });
  }

  async approval(plan: Plan): Promise<void> {
    this.publish({ waitingFor: `approval of plan ${plan.digest}: \`drydock approve\`` });
    await condition(() => this.approved !== undefined || this.isAborted);
    await this.mayGoOn();
    this.publish({ waitingFor: null });
  }

  /** Names what the nodes' own workflows are at, while they are. */
  phase(title: string): void {
    this.publish({ step: title, since: iso() });
  }

  setPlan(plan: Plan, nodes: readonly NodeStatus[]): void {
    this.plan = plan;
    upsertSearchAttributes([{ key: VERSION, value: plan.to }]);
    this.publish({ from: plan.from, to: plan.to, digest: plan.digest, nodes });
  }

  event(name: string, message: string, node?: string): void {
    this.publish({ events: keep([...this.status.events, { at: iso(), name, message, ...(node ? { node } : {}) }]) });
  }

  setNode(name: string, change: Partial<NodeStatus>): void {
    this.publish({ nodes: this.status.nodes.map((node) => (node.name === name ? { ...node, ...change } : node)) });
  }

  end(state: Extract<RunState, 'done' | 'failed' | 'aborted'>, step: string): RunStatus {
    this.ended = true;
    this.status = { ...this.status, state };
    this.publish({ step, since: iso(), waitingFor: null, blockers: [] });
    return this.status;
  }

  private async decide(title: string, failure: Failure): Promise<void> {
    this.event('StepFailed', `${title}: ${failure.message} ${nextAction(failure.kind)}`);
    this.decision = undefined;
    this.publish({ waitingFor: `a decision about "${title}" (${failure.kind}: ${failure.message}): retry or abort` });
    await condition(() => this.decision !== undefined || this.isAborted);
    this.publish({ waitingFor: null });
    if (this.isAborted) throw new AbortedByOperator();
  }

  private publish(change: Partial<RunStatus>): void {
    const next = { ...this.status, ...change };
    const waiting = next.nodes.filter((node) => node.state === 'waiting');
    const waitingFor = next.waitingFor ?? (waiting.length > 0 ? waitingText(waiting, next) : null);
    const state: RunState = this.ended ? next.state : this.paused ? 'paused' : waitingFor !== null ? 'waiting' : 'running';
    this.status = { ...next, state };
    // What a node waits for is derived, so that it goes when the node goes on.
    this.shown = { ...this.status, waitingFor };
    setCurrentDetails(statusMarkdown(this.shown));
    // The first time all of them: whoever started this, it is found by its cluster.
    const first = this.lastSaved === '' ? [{ key: CLUSTER, value: next.cluster }, { key: OPERATION, value: next.operation }, { key: VERSION, value: next.to }] : [];
    if (this.lastSaved !== state) upsertSearchAttributes([...first, { key: STATE, value: state }]);
    this.lastSaved = state;
  }
  private shown: RunStatus = undefined as unknown as RunStatus;

  private handle(): void {
    setHandler(defineQuery<RunStatus>(STATUS), () => this.shown, { description: 'Where the maintenance is, what it waits for, and each node' });
    setHandler(defineQuery<Plan | null>(PLAN), () => this.plan, { description: 'The plan that is carried out' });
    setHandler(defineSignal<[NodeReport]>(REPORT), (report) => this.take(report), { description: 'A node reports its progress (sent by its own workflow)' });
    this.update('pause', 'Hold before the next step on every node', () => (this.paused ? 'it is paused already' : undefined), (say) => {
      this.paused = true;
      return this.tellNodes({ ...say, what: 'pause' });
    });
    this.update('resume', 'Go on after a pause', () => (this.paused ? undefined : 'it is not paused'), (say) => {
      this.paused = false;
      return this.tellNodes({ ...say, what: 'resume' });
    });
    this.update('retry', 'Try the failed step again, of a node or of the cluster', (say) => this.whyNot(say, 'retry'), (say) => {
      if (say.node === undefined) this.decision = 'retry';
      else return this.tell({ ...say, what: 'retry' }, say.node);
    });
    this.update('skip', 'Leave a node as it is and go on with the others', (say) => this.whyNot(say, 'skip'), (say) => this.tell({ ...say, what: 'skip' }, say.node ?? ''));
    this.update('abort', 'Stop: finish the command under way, undo what is safe to undo', () => (this.aborted ? 'it is being aborted already' : undefined), (say) => this.abort(say));
    this.update('approve', 'Approve the plan, by its digest', (say) => this.whyNotApprove(say), (say) => {
      this.approved = say;
    });
  }

  abort(say: OperatorSay): Promise<void> {
    this.aborted = say;
    return this.tellNodes({ ...say, what: 'abort' });
  }

  private update(name: UpdateName, description: string, refuse: (say: OperatorSay) => string | undefined, act: (say: OperatorSay) => Promise<void> | void): void {
    const validator = (say: OperatorSay): void => {
      const why = (typeof say?.by !== 'string' || say.by === '' ? 'say who you are: {"by": "name"}' : undefined) ?? (this.ended ? 'the maintenance has ended' : refuse(say));
      if (why !== undefined) throw ApplicationFailure.nonRetryable(`Cannot ${name}: ${why}.`, 'InputInvalid');
    };
    const handler = async (say: OperatorSay): Promise<Said> => {
      const text = `${name}${say.node ? ` ${say.node}` : ''} by ${say.by}${say.why ? `: ${say.why}` : ''}`;
      this.event(`Operator${name[0]?.toUpperCase()}${name.slice(1)}`, text, say.node);
      log.info('operator', { text });
      await act(say);
      return { said: text };
    };
    setHandler(defineUpdate<Said, [OperatorSay]>(name), handler, { validator, description });
  }

  private whyNot(say: OperatorSay, what: 'retry' | 'skip'): string | undefined {
    if (say.node === undefined) {
      if (what === 'skip') return 'name the node to skip';
      return this.status.waitingFor?.startsWith('a decision') ? undefined : 'no step of the cluster waits for a decision; name the node';
    }
    const node = this.status.nodes.find((candidate) => candidate.name === say.node);
    if (!node) return `the plan has no node ${say.node}; it has ${this.status.nodes.map((candidate) => candidate.name).join(', ')}`;
    if (node.state !== 'waiting') return `${say.node} is ${node.state}, not waiting for a decision`;
    if (what === 'retry' && node.error === null) return `${say.node} goes on by itself as soon as its pods can be evicted; skip or abort end the wait`;
    return undefined;
  }

  private whyNotApprove(say: OperatorSay): string | undefined {
    if (!this.plan || !this.status.waitingFor?.startsWith('approval')) return 'no plan waits for approval';
    return say.digest === this.plan.digest ? undefined : `the plan's digest is ${this.plan.digest}, not ${say.digest ?? 'given'}`;
  }

  private take(report: NodeReport): void {
    this.publish({
      nodes: this.status.nodes.map((node) => (node.name === report.node.name ? report.node : node)),
      blockers: [...this.status.blockers.filter((blocker) => blocker.node !== report.node.name), ...report.blockers],
      events: keep([...this.status.events, ...report.events]),
      steps: [...this.status.steps, ...report.steps],
      evictions: this.status.evictions + report.evicted,
    });
  }

  private async tellNodes(say: ChildSay): Promise<void> {
    this.publish({});
    const open = this.status.nodes.filter((node) => node.state === 'running' || node.state === 'waiting');
    await Promise.all(open.map((node) => this.tell(say, node.name)));
  }

  private async tell(say: ChildSay, node: string): Promise<void> {
    try {
      await CancellationScope.nonCancellable(() => getExternalWorkflowHandle(nodeId(this.status.cluster, node)).signal(SAY, say));
    } catch (error) {
      // It has just ended: its result says how.
      log.warn('node workflow could not be told', { node, what: say.what, error: String(error) });
    }
  }
}

function waitingText(waiting: readonly NodeStatus[], status: RunStatus): string {
  return waiting
    .map((node) => {
      if (node.error) return `a decision about ${node.name} (${node.step}, ${node.error.kind}): retry, skip or abort`;
      const blockers = status.blockers.filter((blocker) => blocker.node === node.name);
      return `${node.name}: ${blockers.map((blocker) => `${blocker.pod} ${blocker.reason}`).join('; ') || node.step}`;
    })
    .join(' · ');
}

/** History is Temporal's; the status keeps what a person reads. */
const keep = (events: readonly RunEvent[]): RunEvent[] => events.slice(-200);
