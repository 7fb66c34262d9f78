/**
 * A run's status as Markdown, for the "Current Details" of Temporal's web UI: CommonMark with GFM tables, at most 20 kB, no HTML.
 * Pure and without the present time: the workflow shows it, and a replay must show the same.
 */
import { nextAction } from './failure.js';
import type { NodeStatus, RunStatus } from './status.js';
import { nodesSummary } from './summary.js';
import { clock, cut, oneLine, utf8Length } from './text.js';

/** Temporal's limit is 20,000 bytes; the rest is room for the payload's envelope. */
export const MARKDOWN_BYTES = 19_000;
const CELL = 160;
const EVENTS = 8;
/** Room of a section in bytes: a page of blockers must not push the nodes off it. */
const SECTION_BYTES = 3_500;

/** What is far too long is cut before it is looked at: this runs often. */
const oneCell = (text: string, most: number): string => cut(oneLine(text.slice(0, most * 4)), most);

/** Text of others as plain Markdown text: nothing in it may start a cell, a link, emphasis or a tag. */
export const escape = (text: string): string => oneCell(text, CELL).replace(/[\\`*_{}[\]<>|~#!&]/g, '\\$&');

/** In backticks nothing is escaped, so what would end them goes. */
const code = (text: string): string => `\`${oneCell(text, 80).replace(/`/g, '')}\``;

/** The leading lines that have room. */
function fitting(lines: readonly string[], bytes: number): readonly string[] {
  let left = bytes;
  const end = lines.findIndex((text) => (left -= utf8Length(text) + 1) < 0);
  return end < 0 ? lines : lines.slice(0, end);
}

/** The web UI's table has no room between its columns: hard spaces make some. */
const row = (cells: readonly string[]): string => `| ${cells.map((cell) => (cell === '---' ? cell : `${cell}\u00a0\u00a0`)).join(' | ')} |`;

export function statusMarkdown(status: RunStatus): string {
  const before = [heading(status), waiting(status), blockers(status), decisions(status)].filter((part) => part !== '');
  const after = [events(status)].filter((part) => part !== '');
  const room = MARKDOWN_BYTES - utf8Length([...before, ...after].join('\n\n')) - 200;
  return [...before, nodeTable(status.nodes, room), ...after].filter((part) => part !== '').join('\n\n');
}

function heading(status: RunStatus): string {
  const versions = status.from === null ? `to ${escape(status.to)}` : `${escape(status.from)} → ${escape(status.to)}`;
  const plan = status.digest === null ? '' : ` · plan ${escape(status.digest)}`;
  const first = `**${escape(status.cluster)}** ${escape(status.operation)} ${versions} · **${status.state}**${plan}`;
  return `${first}\n\n${escape(status.step)} since ${clock(status.since)} UTC · ${nodesSummary(status.nodes)}`;
}

const waiting = (status: RunStatus): string => (status.waitingFor === null ? '' : `**Waits for** ${escape(status.waitingFor)}`);

function blockers(status: RunStatus): string {
  if (status.blockers.length === 0) return '';
  const rows = fitting(status.blockers.slice(0, 50).map((b) => row([escape(b.pod), escape(b.node), escape(b.reason), clock(b.since)])), SECTION_BYTES);
  const hidden = status.blockers.length - rows.length;
  const more = hidden > 0 ? `\n\n… and ${hidden} more pods` : '';
  return [row(['pod that stays', 'node', 'why', 'since']), row(['---', '---', '---', '---']), ...rows].join('\n') + more;
}

/** What a person can do now, for the nodes that wait for one. */
function decisions(status: RunStatus): string {
  const lines = status.nodes
    .filter((node) => node.error !== null && (node.state === 'waiting' || node.state === 'failed'))
    .slice(0, 20)
    .map((node) => {
      const { kind = 'Defect', message = '' } = node.error ?? {};
      const choices = node.state === 'waiting' ? ` Choose: retry, skip or abort (${code(`drydock retry ${node.name}`)}).` : '';
      return `- **${escape(node.name)}** ${escape(node.step)}: ${kind}. ${escape(message)} ${escape(nextAction(kind))}${choices}`;
    });
  return fitting(lines, SECTION_BYTES).join('\n');
}

/** Nodes that a person wants to see come first when there is no room for all. */
const URGENCY: Readonly<Record<NodeStatus['state'], number>> = { failed: 0, waiting: 0, running: 1, aborted: 2, skipped: 2, done: 3, notStarted: 4 };
const SIGN: Readonly<Record<NodeStatus['state'], string>> = { notStarted: '·', running: '▶', waiting: '⏸', done: '✓', failed: '✗', skipped: '–', aborted: '✗' };

function nodeTable(nodes: readonly NodeStatus[], room: number): string {
  if (nodes.length === 0) return '';
  const head = [row(['', 'node', 'role', 'step', 'since', 'version']), row(['---', '---', '---', '---', '---', '---'])];
  const rows: (string | undefined)[] = [];
  let left = room - utf8Length(head.join('\n'));
  // Only the rows that have room are made: this runs on every change of a run with thousands of nodes.
  for (const i of byUrgency(nodes)) {
    const node = nodes[i];
    const text = node ? nodeRow(node) : '';
    left -= utf8Length(text) + 1;
    if (left < 0) break;
    rows[i] = text;
  }
  const shown = rows.filter((text) => text !== undefined);
  const hidden = nodes.length - shown.length;
  return [...head, ...shown].join('\n') + (hidden > 0 ? `\n\n… and ${hidden} more nodes (\`drydock status\`)` : '');
}

/** Indexes, the most urgent first, else in the plan's order. */
const byUrgency = (nodes: readonly NodeStatus[]): readonly number[] =>
  [0, 1, 2, 3, 4].flatMap((urgency) => nodes.flatMap((node, i) => (URGENCY[node.state] === urgency ? [i] : [])));

const nodeRow = (node: NodeStatus): string =>
  row([SIGN[node.state], escape(node.name), node.role, escape(node.error === null ? node.step : `${node.step}: ${node.error.kind}`), clock(node.since), `${escape(node.from)} → ${escape(node.to)}`]);

function events(status: RunStatus): string {
  if (status.events.length === 0) return '';
  const lines = status.events.slice(-EVENTS).reverse().map((e) => `- ${clock(e.at)} ${escape(e.name)}${e.node === undefined ? '' : ` (${escape(e.node)})`}: ${escape(e.message)}`);
  return ['**Last events**', '', ...fitting(lines, SECTION_BYTES)].join('\n');
}
