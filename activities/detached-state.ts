import type { CommandResult } from './ports/remote-shell.js';

/** What a node says of one attempt. Epochs are the node's clock, in seconds. */
export interface NodeState {
  readonly state: 'absent' | 'started' | 'running' | 'finished' | 'reboot' | 'killed' | 'unknown';
  readonly exitCode?: number;
  readonly begun?: number;
  readonly ended?: number;
  /** Bytes of output so far. */
  readonly bytes: number;
  /** This start made the run's directory. */
  readonly newRun: boolean;
  /** The end of the output while it runs, all of it (or head and tail) after the end. */
  readonly output: string;
}

const LINE = /^drydock state=(absent|started|running|finished|reboot|killed|unknown) code=(\S+) begun=(\S+) ended=(\S+) bytes=(\d+) newrun=(yes|no)\n/;

/** Reads the answer of the scripts; undefined when it is none of theirs. */
export function parseState(result: Pick<CommandResult, 'exitCode' | 'stdout'>): NodeState | undefined {
  const match = result.exitCode === 0 ? LINE.exec(result.stdout) : null;
  if (!match) return undefined;
  const [head, state, code, begun, ended, bytes, newRun] = match;
  return {
    state: state as NodeState['state'],
    ...optional('exitCode', code),
    ...optional('begun', begun),
    ...optional('ended', ended),
    bytes: Number(bytes),
    newRun: newRun === 'yes',
    output: result.stdout.slice(head.length),
  };
}

const optional = <K extends string>(key: K, text: string | undefined): Partial<Record<K, number>> =>
  text !== undefined && /^\d+$/.test(text) ? ({ [key]: Number(text) } as Partial<Record<K, number>>) : {};
