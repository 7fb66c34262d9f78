import { CancellationScope, condition, defineSignal, getExternalWorkflowHandle, isCancellation, log, setHandler } from '@temporalio/workflow';
import { type Failure, type FailureKind, nextAction } from '../domain/failure.js';
import type { Blocker, NodeStatus, RunEvent, StepTime } from '../domain/status.js';
import { failureOf } from './failure-of.js';
import { type ChildSay, type NodeReport, REPORT, SAY } from './messages.js';

/** Leaves a node's chain by the operator's word. */
export class NodeLeft extends Error {
  constructor(readonly how: 'skipped' | 'aborted', readonly by: string, readonly why: string | undefined) {
    super(`${how} by ${by}${why ? `: ${why}` : ''}`);
  }
}

const iso = (): string => new Date().toISOString();
/** Failures after which the command on the node is known to have ended. */
const ENDED: readonly FailureKind[] = ['CommandFailed', 'StepInterrupted', 'PackageUnavailable', 'PackageLockHeld', 'SnapshotFailed'];
/** After this long kubeadm is said to be slow, and after so much more very slow; nothing is done about it. */
const SLOW = '10 minutes';
const VERY_SLOW = '30 minutes';

/** What one node's workflow keeps: its status, the operator's say, and the reports to the maintenance. */
export class NodeChain {
  private said: ChildSay | undefined;
  private paused: boolean;
  private abortable: CancellationScope | undefined;
  private orphaned = false;
  private blockers: readonly Blocker[] = [];
  /** Told with the next report. */
  private pending: { steps: StepTime[]; evicted: number } = { steps: [], evicted: 0 };

  constructor(private status: NodeStatus, private readonly maintenance: string, paused: boolean) {
    this.paused = paused;
    setHandler(defineSignal<[ChildSay]>(SAY), (say) => this.hear(say), { description: 'The operator says pause, resume, retry, skip or abort (sent by the maintenance)' });
  }

  /**
   * Runs one step. On failure the node waits here for retry, skip or abort. `attempt` counts the tries that may start a command again, so it names the record
   * on the node; Temporal's own retries of an activity keep the same number and attach to the same command.
   */
  async step<T>(title: string, act: (attempt: number) => Promise<T>, options: { abortable?: boolean; watched?: boolean } = {}): Promise<T> {
    let reruns = 0;
    let attempt = 1;
    for (;;) {
      await this.mayGoOn();
      const startedAt = iso();
      await this.report({ state: 'running', step: title, since: startedAt, error: null });
      try {
        const within = (): Promise<T> => this.within(options.abortable ?? false, () => act(attempt));
        const result = await (options.watched ? this.watched(title, within) : within());
        this.pending.steps.push({ node: this.status.name, step: title, startedAt, seconds: (Date.now() - Date.parse(startedAt)) / 1000 });
        return result;
      } catch (error) {
        if (error instanceof NodeLeft) throw error;
        if (isCancellation(error)) this.leaveIfTold();
        const failure = failureOf(error);
        // A new number starts the command anew. Where its end is not known it may still run: the same number attaches to it again.
        if (ENDED.includes(failure.kind)) attempt++;
        // The node restarted under the command: every step of ours may be run again, once without asking.
        if (failure.kind === 'StepInterrupted' && reruns++ === 0) {
          await this.event('StepInterrupted', `${title}: ${failure.message} It is run again.`);
          continue;
        }
        await this.decide(title, failure);
      }
    }
  }

  /** Blockers of a drain: shown as waiting, without a failure. */
  async blocked(blockers: readonly Blocker[], evicted: number, text: string): Promise<void> {
    this.pending.evicted += evicted;
    if (blockers.length === 0 && this.blockers.length === 0) return;
    await this.report({ state: blockers.length > 0 ? 'waiting' : 'running', step: text }, { blockers });
  }

  async event(name: string, message: string): Promise<void> {
    await this.report({}, { events: [{ at: iso(), name, node: this.status.name, message }] });
  }

  /** The chain is over: no more reports are needed, the result says how. */
  async end(change: Partial<NodeStatus>, event: string, message: string): Promise<void> {
    await this.report({ ...change, since: iso() }, { events: [{ at: iso(), name: event, node: this.status.name, message }], blockers: [] });
  }

  get lastError(): Failure | null {
    return this.status.error;
  }
  get lastStep(): string {
    return this.status.step;
  }

  /** The operator's word, however it comes: by signal, or by Temporal's own cancel. */
  hear(say: ChildSay): void {
    if (say.what === 'pause') this.paused = true;
    else if (say.what === 'resume') this.paused = false;
    else this.said = say;
    if (say.what === 'abort' || say.what === 'skip') this.abortable?.cancel();
  }

  private async mayGoOn(): Promise<void> {
    this.leaveIfTold();
    await condition(() => !this.paused || this.said?.what === 'abort');
    this.leaveIfTold();
  }

  private leaveIfTold(): void {
    const { what, by, why } = this.said ?? {};
    if (what === 'abort') throw new NodeLeft('aborted', by ?? '', why);
    if (what === 'skip') throw new NodeLeft('skipped', by ?? '', why);
  }

  /** A wait may be left at once; a command on a node is always let finish. */
  private async within<T>(abortable: boolean, act: () => Promise<T>): Promise<T> {
    if (!abortable) return CancellationScope.nonCancellable(act);
    const scope = new CancellationScope();
    this.abortable = scope;
    try {
      return await scope.run(act);
    } finally {
      this.abortable = undefined;
    }
  }

  /** Nothing limits the time of a command on a node; a person is told that it takes long, twice. */
  private async watched<T>(title: string, act: () => Promise<T>): Promise<T> {
    let over = false;
    const watch = async (): Promise<void> => {
      if (await condition(() => over, SLOW, { summary: `${title} is slow after ${SLOW}` })) return;
      await this.event('StepSlow', `${title} has been running for ${SLOW}. It is not stopped; the node's journal tells more.`);
      if (await condition(() => over, VERY_SLOW, { summary: `${title} is very slow` })) return;
      await this.event('StepVerySlow', `${title} has been running for 40 minutes. Look at the node: is it still at work? Drydock lets it be; \`drydock abort\` takes effect when it ends.`);
    };
    const watching = CancellationScope.nonCancellable(watch).catch(() => undefined);
    try {
      return await act();
    } finally {
      over = true;
      await watching;
    }
  }

  private async decide(title: string, failure: Failure): Promise<void> {
    // What was said while the step ran counts: an abort must not be lost because the step then failed.
    this.status = { ...this.status, error: failure };
    this.leaveIfTold();
    this.said = undefined;
    await this.report({ state: 'waiting', error: failure, since: iso() }, {
      events: [{ at: iso(), name: 'NodeFailed', node: this.status.name, message: `${title}: ${failure.message} ${nextAction(failure.kind)}` }],
    });
    if (this.orphaned) throw new NodeLeft('aborted', 'drydock', 'its maintenance is gone, so nobody can decide');
    await condition(() => this.said !== undefined);
    this.leaveIfTold();
    this.said = undefined;
  }

  /** One signal says all that is new: each costs the maintenance some four events of its history. */
  private async report(change: Partial<NodeStatus>, more: { blockers?: readonly Blocker[]; events?: readonly RunEvent[] } = {}): Promise<void> {
    this.status = { ...this.status, ...change };
    if (more.blockers !== undefined) this.blockers = more.blockers;
    const { steps, evicted } = this.pending;
    this.pending = { steps: [], evicted: 0 };
    const report: NodeReport = { node: this.status, blockers: this.blockers, events: more.events ?? [], steps, evicted };
    try {
      await CancellationScope.nonCancellable(() => getExternalWorkflowHandle(this.maintenance).signal(REPORT, report));
    } catch (error) {
      // The maintenance was terminated: nobody can be told or asked any more.
      log.warn('the maintenance cannot be told', { maintenance: this.maintenance, error: String(error) });
      this.orphaned = true;
    }
  }
}
