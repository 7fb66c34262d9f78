import pc from 'picocolors';
import { nextAction } from '../../domain/failure.js';
import type { NodeStatus, RunStatus } from '../../domain/status.js';
import { columns, duration, inColour, markOf, neutral, plain, secondsSince } from './text.js';

/** The live view and `status`: a line a node, then what it waits for and what a person can type. */
export function statusLines(given: RunStatus, now = Date.now()): string[] {
  const status = neutral(given);
  const head = `${pc.bold(status.cluster)}  ${status.operation} ${status.from ?? '?'} → ${status.to}  ${inColour(status.state, status.state)}  ${plain(status.step)} ${pc.dim(duration(secondsSince(status.since, now)))}`;
  const rows = columns(status.nodes.map((node) => [markOf(node.state), node.name, node.role, nodeText(node), timeOf(node, now)]));
  return [head, ...rows.map((row, i) => `  ${inColour(status.nodes[i]?.state ?? 'running', row)}`), ...trouble(status)];
}

function nodeText(node: NodeStatus): string {
  const text = node.state === 'notStarted' ? `${node.from} → ${node.to}` : node.state === 'done' ? `at ${node.to}` : `${plain(node.step)}${node.error ? ` failed: ${node.error.kind}` : ''}`;
  return text.length > 90 ? `${text.slice(0, 89)}…` : text;
}

const timeOf = (node: NodeStatus, now: number): string => (node.state === 'running' || node.state === 'waiting' ? duration(secondsSince(node.since, now)) : '');

function trouble(status: RunStatus): string[] {
  const lines: string[] = [];
  if (status.state === 'paused') lines.push('', pc.yellow('Paused. Go on with: drydock resume'));
  for (const blocker of status.blockers) {
    lines.push('', pc.yellow(`  ${blocker.node}: ${plain(blocker.pod)} stays (${duration(secondsSince(blocker.since))}): ${plain(blocker.reason)}${blocker.budget ? ` [budget ${plain(blocker.budget)}]` : ''}`));
  }
  for (const node of status.nodes.filter((candidate) => candidate.state === 'waiting' && candidate.error)) {
    lines.push('', pc.red(`  ${node.name}: ${node.step} failed, ${node.error?.kind}`), ...indented(plain(node.error?.message ?? '', true)));
    if (node.error?.output) lines.push(...indented(pc.dim(plain(node.error.output, true))));
    if (node.error) lines.push(`    ${nextAction(node.error.kind)}`);
    lines.push(`    drydock retry ${node.name} · drydock skip ${node.name} · drydock abort`);
  }
  if (status.state === 'waiting' && status.nodes.every((node) => node.state !== 'waiting')) lines.push('', pc.yellow(`  Waiting for ${plain(status.waitingFor ?? '')}`));
  return lines;
}

const indented = (text: string): string[] => text.split('\n').map((line) => `    ${line}`);

/** The end of a run in words: time by phase, evictions, what every node's state is. */
export function summaryLines(given: RunStatus): string[] {
  const status = neutral(given);
  const first = status.steps.map((step) => Date.parse(step.startedAt)).reduce((a, b) => Math.min(a, b), Date.parse(status.since));
  const lines = ['', `${inColour(status.state, status.state)}: ${status.cluster} ${status.operation} ${status.from ?? '?'} → ${status.to} in ${duration((Date.parse(status.since) - first) / 1000)}, ${status.evictions} evictions`];
  lines.push(...columns([['', 'node', 'state', ''], ...status.nodes.map((node) => [markOf(node.state), node.name, node.state, node.state === 'done' ? `at ${node.to}` : plain(node.step)])]).map((row) => `  ${row}`));
  lines.push('', 'Time by phase (nodes worked on at once overlap):');
  lines.push(...columns(phases(status).map(([phase, seconds, count]) => [phase, duration(seconds), count > 1 ? `${count} nodes` : ''])).map((row) => `  ${row}`));
  for (const event of status.events.filter((candidate) => NOTABLE.has(candidate.name))) lines.push(`  ${pc.dim(event.at.slice(11, 19))} ${event.name}: ${plain(event.message)}`);
  return lines;
}

const NOTABLE = new Set(['SnapshotTaken', 'NodeSkipped', 'NodeAborted', 'NodeFailed', 'EvictionWindowClosed', 'StepInterrupted', 'WorkloadsLessReady', 'StepFailed']);

/** Seconds by step title, longest first, with the number of nodes. */
export function phases(status: RunStatus): [string, number, number][] {
  const sums = new Map<string, [number, number]>();
  for (const { step, seconds } of status.steps) {
    const [sum, count] = sums.get(step) ?? [0, 0];
    sums.set(step, [sum + seconds, count + 1]);
  }
  return [...sums].map(([step, [sum, count]]): [string, number, number] => [step, sum, count]).sort((a, b) => b[1] - a[1]);
}
