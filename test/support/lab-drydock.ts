/** drydock as an operator uses it: the command line, with `--json`. */
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import type { NodeStatus, RunStatus } from '../../domain/status.js';
import { environment, HOME, until } from './lab-run.js';

const PROGRAM = join(HOME, 'drydock');

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, for what a person reads. */
  readonly text: string;
}

export interface Service {
  readonly server: { readonly pid: number; readonly address: string; readonly webUi: string } | null;
  readonly worker: { readonly pid: number } | null;
}

/** One operator at a terminal. */
export class Drydock {
  constructor(readonly config: string, readonly user = 'alice@desk') {}

  async run(...args: string[]): Promise<Ended> {
    const result = await execa(PROGRAM, [...args, '--config', this.config], { env: { ...(await environment()), DRYDOCK_USER: this.user }, reject: false, stdin: 'ignore', timeout: 600_000 });
    return { code: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr, text: `${result.stdout}\n${result.stderr}` };
  }

  /** Runs a command that must end with this code. */
  async ends(code: number, ...args: string[]): Promise<Ended> {
    const ended = await this.run(...args);
    assert.equal(ended.code, code, `drydock ${args.join(' ')} ended with ${ended.code}, wanted ${code}:\n${ended.text}`);
    return ended;
  }

  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse((await this.ends(0, ...args, '--json')).stdout) as T;
  }

  status(): Promise<RunStatus> {
    return this.json<RunStatus>('status');
  }

  service(): Promise<Service> {
    return this.json<Service>('service', 'status');
  }

  /** A command that goes on and prints one status a line, such as `upgrade --yes` and `watch`. */
  async follow(...args: string[]): Promise<Following> {
    const child = spawn(PROGRAM, [...args, '--json', '--config', this.config], { env: { ...(await environment()), DRYDOCK_USER: this.user }, stdio: ['ignore', 'pipe', 'pipe'] });
    return new Following(child, args.join(' '));
  }
}

/** A running `upgrade` or `watch`: what it has shown so far, and its end. */
export class Following {
  readonly seen: RunStatus[] = [];
  readonly ended: Promise<number>;
  code: number | undefined;
  stderr = '';

  constructor(private readonly child: ChildProcessByStdio<null, Readable, Readable>, private readonly name: string) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.seen.push(JSON.parse(line) as RunStatus);
    });
    child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.ended = new Promise((resolve) => child.on('close', (code) => resolve((this.code = code ?? -1))));
  }

  get last(): RunStatus | undefined {
    return this.seen.at(-1);
  }

  /** Waits for a status that fits; fails at once when the command ends before it. */
  async until(what: string, seconds: number, fits: (status: RunStatus) => boolean): Promise<RunStatus> {
    const found = await until(what, seconds, () => {
      if (this.last && fits(this.last)) return this.last;
      return this.code === undefined ? undefined : ('ended' as const);
    });
    if (found !== 'ended') return found;
    throw new Error(`drydock ${this.name} ended with ${this.code} before ${what}\n${this.stderr.trimEnd().split('\n').slice(-5).join('\n')}`);
  }

  /** Its exit code, at most after `seconds`. */
  end(what: string, seconds: number): Promise<number> {
    return until(what, seconds, () => this.code);
  }

  stop(): void {
    if (this.code === undefined) this.child.kill('SIGKILL');
  }
}

export function nodeOf(status: RunStatus, name: string): NodeStatus {
  const node = status.nodes.find((candidate) => candidate.name === name);
  assert.ok(node, `no node ${name} in ${JSON.stringify(status.nodes)}`);
  return node;
}
