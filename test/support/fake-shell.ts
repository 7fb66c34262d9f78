import assert from 'node:assert/strict';
import { quoteCommand } from '../../activities/adapters/quote.js';
import type { Command, CommandResult, RemoteShell, RunOptions } from '../../activities/ports/remote-shell.js';
import type { ClusterSpec, NodeSpec } from '../../domain/cluster.js';

type Answer = Partial<Pick<CommandResult, 'exitCode' | 'signal' | 'stdout' | 'stderr' | 'truncated'>> | Error;

export interface Call {
  readonly node: string;
  readonly command: Command;
  readonly options: RunOptions;
}

interface Rule {
  readonly node?: string;
  readonly matches: (command: Command) => boolean;
  readonly answers: readonly (Answer | ((call: Call) => Answer | Promise<Answer>))[];
  used: number;
}

/**
 * A shell that answers what a test scripted and fails on everything else. Several answers for one rule are given in turn;
 * the last one is repeated.
 */
export class FakeShell implements RemoteShell {
  readonly calls: Call[] = [];
  readonly #rules: Rule[] = [];

  /** `matches`: program, a pattern over the quoted command, or a function. */
  on(matches: string | RegExp | Rule['matches'], ...answers: Rule['answers']): this {
    this.#rules.push({ matches: matcher(matches), answers, used: 0 });
    return this;
  }

  onNode(node: string, matches: string | RegExp | Rule['matches'], ...answers: Rule['answers']): this {
    this.#rules.push({ node, matches: matcher(matches), answers, used: 0 });
    return this;
  }

  async run(_cluster: ClusterSpec, node: NodeSpec, command: Command, options: RunOptions = {}): Promise<CommandResult> {
    options.signal?.throwIfAborted();
    const call = { node: node.name, command, options };
    this.calls.push(call);
    const rule = this.#rules.find((each) => (each.node ?? node.name) === node.name && each.matches(command));
    if (!rule) assert.fail(`nobody scripted on ${node.name}: ${quoteCommand(command).slice(0, 400)}`);
    const answer = rule.answers[Math.min(rule.used++, rule.answers.length - 1)] ?? {};
    const given = typeof answer === 'function' ? await answer(call) : answer;
    if (given instanceof Error) throw given;
    return { command, exitCode: 0, signal: null, stdout: '', stderr: '', truncated: false, milliseconds: 1, ...given };
  }

  download(): Promise<never> {
    assert.fail('nobody scripted a download');
  }

  forward(): Promise<never> {
    assert.fail('nobody scripted a forward');
  }

  async close(): Promise<void> {}
}

function matcher(matches: string | RegExp | Rule['matches']): Rule['matches'] {
  if (typeof matches === 'function') return matches;
  if (typeof matches === 'string') return (command) => command.program === matches;
  return (command) => matches.test(quoteCommand(command));
}
