import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterSpec, NodeSpec } from '../domain/cluster.js';
import { detachedNames, fileName, RECORDS, type DetachedNames } from './detached-names.js';
import { ATTACH, ESCAPED_WRAPPER, PRUNE, START, throughSystemd } from './detached-scripts.js';
import { parseState, type NodeState } from './detached-state.js';
import { StepFailure } from './failure.js';
import type { Command, CommandResult, RemoteShell } from './ports/remote-shell.js';
import { cut, redact } from './redact.js';

/** A command that changes a node. The same run, step and attempt is the same execution, however often it is asked for. */
export interface DetachedStep {
  readonly cluster: ClusterSpec;
  readonly node: NodeSpec;
  /** First run id of the workflow's chain. */
  readonly run: string;
  /** `kubeadm-upgrade-apply`: unique within the run and node. */
  readonly step: string;
  /** From 1; the next one runs the command anew. */
  readonly attempt: number;
  readonly command: Command;
  /** For the node's journal: "Started ...". */
  readonly description: string;
}

/** What the activity heartbeats. */
export interface DetachedProgress {
  readonly unit: string;
  readonly step: string;
  /** Last line of output, redacted; empty before the first. */
  readonly lastLine: string;
  /** ISO 8601 by the node's clock, null before it began. */
  readonly startedAt: string | null;
  readonly bytes: number;
  /** ISO 8601 by our clock: no answer from the node since then. The step goes on there. */
  readonly connectionLostSince: string | null;
}

export type DetachedResult =
  | {
    readonly outcome: 'exited';
    readonly exitCode: number;
    /** Both streams in order, redacted and cut to 4 KiB. */
    readonly output: string;
    /** ISO 8601 by the node's clock. */
    readonly startedAt: string;
    readonly endedAt: string;
    readonly seconds: number;
  }
  /** Begun and never ended: the node restarted, or the unit was killed. What it got done is unknown; ask the node. */
  | { readonly outcome: 'interrupted'; readonly why: 'reboot' | 'killed'; readonly output: string; readonly startedAt: string };

export interface DetachedOptions {
  /** Called every 2 s at least. */
  readonly heartbeat: (progress: DetachedProgress) => void;
  /** Detaches; what runs on the node goes on. The promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Longest time without an answer from the node before the last SSH failure is thrown. Without it, until `signal`. */
  readonly deadlineMs?: number;
}

const HEARTBEAT_MS = 2000;
// The first turn is short, so that a quick failure and the first line of output are seen at once.
const FIRST_TURN_SECONDS = 1;
const TURN_SECONDS = 3;
const BACK_OFF_MS = { first: 500, most: 5000 };
// A unit that ends without ever claiming its record (full or read-only disk) is started this often.
const STARTS = 3;

/**
 * Runs the command on the node once, detached from us: starts it, or finds it running or finished, and waits for its end.
 * Lost connections are waited out. Throws StepFailure: CommandFailed when it cannot be started, the SSH kinds that no
 * waiting helps, HostUnreachable or ConnectionLost after `deadlineMs`.
 */
export async function runDetached(shell: RemoteShell, step: DetachedStep, options: DetachedOptions): Promise<DetachedResult> {
  const attachment = new Attachment(shell, step, options);
  const timer = setInterval(() => options.heartbeat(attachment.progress), HEARTBEAT_MS);
  try {
    return await attachment.untilEnd();
  } finally {
    clearInterval(timer);
  }
}

/** A node may restart and check its disks; after this long somebody has to look. */
const SILENCE_MS = 15 * 60_000;

/** As `runDetached`; a node that stays silent is the failure NodeSilent, which is not tried again by itself. */
export async function attended(shell: RemoteShell, step: DetachedStep, options: Omit<DetachedOptions, 'deadlineMs'>, silenceMs = SILENCE_MS): Promise<DetachedResult> {
  try {
    return await runDetached(shell, step, { ...options, deadlineMs: silenceMs });
  } catch (error) {
    if (!isLoss(error)) throw error;
    throw new StepFailure('NodeSilent', `${step.node.name} has not answered for ${silenceMs / 60_000} minutes while ${step.step} ran: ${(error as StepFailure).message}`, undefined, { cause: error });
  }
}

class Attachment {
  readonly #names: DetachedNames;
  #seen: NodeState | undefined;
  #lostSince: number | undefined;
  #backOff = BACK_OFF_MS.first;

  constructor(private readonly shell: RemoteShell, private readonly step: DetachedStep, private readonly options: DetachedOptions) {
    this.#names = detachedNames(step.run, step.step, step.attempt);
  }

  get progress(): DetachedProgress {
    const lastLine = this.#seen?.output.trimEnd().split('\n').at(-1) ?? '';
    return {
      unit: this.#names.unit,
      step: this.step.step,
      lastLine: cut(this.#clean(lastLine), 200),
      startedAt: this.#seen?.begun === undefined ? null : iso(this.#seen.begun),
      bytes: this.#seen?.bytes ?? 0,
      connectionLostSince: this.#lostSince === undefined ? null : new Date(this.#lostSince).toISOString(),
    };
  }

  async untilEnd(): Promise<DetachedResult> {
    let starts = 0;
    let ask = () => this.#start();
    for (;;) {
      this.options.signal?.throwIfAborted();
      const state = await this.#patiently(ask);
      if (state?.newRun) await this.#prune();
      ask = () => this.#attach();
      switch (state?.state) {
        case 'finished':
          return this.#exited(state);
        case 'reboot':
        case 'killed':
          return { outcome: 'interrupted', why: state.state, output: this.#history(state), startedAt: iso(state.begun) };
        case 'absent': // only an attach says so: the unit came to nothing before it began
          if (++starts >= STARTS) throw this.#neverBegan();
          ask = () => this.#start();
          break;
        case undefined: // no answer; whether a start arrived is unknown, and asking to start again does no harm
          ask = this.#seen ? ask : () => this.#start();
          break;
        case 'started':
        case 'running':
        case 'unknown':
      }
    }
  }

  /** One question to the node; undefined after a lost connection, when the back-off is over. */
  async #patiently(ask: () => Promise<NodeState>): Promise<NodeState | undefined> {
    try {
      const state = await ask();
      this.#seen = state;
      this.#lostSince = undefined;
      this.#backOff = BACK_OFF_MS.first;
      return state;
    } catch (error) {
      if (!isLoss(error)) throw error;
      this.#lostSince ??= Date.now();
      if (Date.now() - this.#lostSince >= (this.options.deadlineMs ?? Infinity)) throw error;
      this.options.heartbeat(this.progress);
      await this.#pause(this.#backOff);
      this.#backOff = Math.min(this.#backOff * 2, BACK_OFF_MS.most);
      return undefined;
    }
  }

  #start(): Promise<NodeState> {
    const { command, description } = this.step;
    const record = redact(JSON.stringify({ description, program: command.program, args: command.args }), command.secrets);
    const { unit, dir } = this.#names;
    const words = [dir, command.program, ...command.args].map(throughSystemd);
    return this.#ask([START, 'drydock', dir, unit, description, record, ESCAPED_WRAPPER, ...words]);
  }

  #attach(): Promise<NodeState> {
    return this.#ask([ATTACH, 'drydock', this.#names.dir, this.#names.unit, String(this.#seen?.begun === undefined ? FIRST_TURN_SECONDS : TURN_SECONDS)]);
  }

  async #ask(args: readonly string[]): Promise<NodeState> {
    const { cluster, node, command } = this.step;
    const result = await this.shell.run(cluster, node, { program: 'sh', args: ['-c', ...args], secrets: command.secrets ?? [] }, {
      // Far above a turn: only a connection that is dead without saying so runs into it.
      timeoutMs: 60_000,
      ...(this.options.signal ? { signal: this.options.signal } : {}),
    });
    const state = parseState(result);
    if (!state) throw this.#cannotStart(result);
    return state;
  }

  #exited(state: NodeState): DetachedResult {
    const [begun, ended] = [state.begun ?? 0, state.ended ?? state.begun ?? 0];
    return {
      outcome: 'exited', exitCode: state.exitCode ?? 1, output: this.#history(state),
      startedAt: iso(begun), endedAt: iso(ended), seconds: Math.max(0, ended - begun),
    };
  }

  /** Old records go when a new run first touches the node. A node that cannot tidy up can still be upgraded. */
  async #prune(): Promise<void> {
    await pruneRecords(this.shell, this.step.cluster, this.step.node, this.step.run).catch(() => undefined);
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.options;
    await sleep(ms, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
  }

  #clean(text: string): string {
    return redact(text, this.step.command.secrets);
  }

  #history(state: NodeState): string {
    return cut(this.#clean(state.output));
  }

  #cannotStart(result: CommandResult): StepFailure {
    const said = this.#clean(result.stderr.trim() || result.stdout.trim());
    return new StepFailure('CommandFailed', `${this.step.node.name}: ${this.step.description} could not be started: ${cut(said, 300)}`, cut(said));
  }

  #neverBegan(): StepFailure {
    return new StepFailure('CommandFailed',
      `${this.step.node.name}: ${this.step.description} never began: ${this.#names.unit} ends before it can write to ${this.#names.dir} (\`journalctl -u ${this.#names.unit}\` on the node).`);
  }
}

const iso = (epochSeconds: number | undefined): string => new Date((epochSeconds ?? 0) * 1000).toISOString();

const isLoss = (error: unknown): boolean => error instanceof StepFailure && (error.kind === 'HostUnreachable' || error.kind === 'ConnectionLost');

/** All that an attempt has printed so far, redacted; undefined when there is no record. Up to 16 MiB. */
export async function readOutput(shell: RemoteShell, step: Omit<DetachedStep, 'command' | 'description'>): Promise<string | undefined> {
  const { dir } = detachedNames(step.run, step.step, step.attempt);
  const result = await shell.run(step.cluster, step.node, { program: 'cat', args: ['--', `${dir}/output`] }, { maxOutputBytes: 16 * 1024 * 1024 });
  return result.exitCode === 0 ? redact(result.stdout) : undefined;
}

/**
 * Removes the records of runs beyond the last `keepRuns` and of runs older than `keepDays`. Never those of `run`, of a run
 * with a step under way, or of one that was at work within the last day. Returns the names of the runs that were removed.
 */
export async function pruneRecords(shell: RemoteShell, cluster: ClusterSpec, node: NodeSpec, run: string, { keepRuns = 10, keepDays = 90 } = {}): Promise<string[]> {
  const args = ['-c', PRUNE, 'drydock', RECORDS, fileName(run), String(keepRuns), String(keepDays)];
  const result = await shell.run(cluster, node, { program: 'sh', args }, { timeoutMs: 60_000 });
  return result.exitCode === 0 ? result.stdout.split('\n').filter((name) => name !== '') : [];
}
