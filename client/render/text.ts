import pc from 'picocolors';
import type { NodeState, RunState } from '../../domain/status.js';

export { neutral, plain } from './plain.js';

/** `1 h 02 min`, `3 min 05 s`, `42 s`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}

export const secondsSince = (iso: string | null, now = Date.now()): number => (iso === null ? 0 : (now - Date.parse(iso)) / 1000);

/** Rows in columns, each as wide as its widest cell. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows.map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  ').trimEnd());
}

const COLOURS: Readonly<Record<NodeState | RunState, (text: string) => string>> = {
  notStarted: pc.dim, running: pc.cyan, waiting: pc.yellow, done: pc.green, failed: pc.red, skipped: pc.red, aborted: pc.red, paused: pc.yellow,
};
export const inColour = (state: NodeState | RunState, text: string): string => COLOURS[state](text);

const MARKS: Readonly<Record<NodeState, string>> = { notStarted: '·', running: '▸', waiting: '?', done: '✓', failed: '✗', skipped: '↷', aborted: '✗' };
export const markOf = (state: NodeState): string => MARKS[state];
