/** One-liners: Temporal's summaries (200 bytes at most), notifications, lists. */
import type { Plan } from './plan.js';
import type { NodeStatus, RunStatus } from './status.js';
import { cutBytes, oneLine } from './text.js';

/** Temporal's limit for a summary. */
export const SUMMARY_BYTES = 200;

const line = (text: string): string => cutBytes(oneLine(text), SUMMARY_BYTES);

/** `demo: upgrade 1.36.3 → 1.37.2, running: drain; 2 of 5 nodes done` */
export function statusSummary(status: RunStatus): string {
  const { cluster, operation, from, to, state, step, waitingFor } = status;
  const versions = from === null ? ` to ${to}` : ` ${from} → ${to}`;
  const now = waitingFor === null ? step : `waits for ${waitingFor}`;
  return line(`${cluster}: ${operation}${versions}, ${state}${isOver(status) ? '' : `: ${now}`}; ${nodesSummary(status.nodes)}`);
}

export const isOver = ({ state }: Pick<RunStatus, 'state'>): boolean => state === 'done' || state === 'failed' || state === 'aborted';

/** `3 of 5 nodes done, 1 waiting, 1 failed` */
export function nodesSummary(nodes: readonly NodeStatus[]): string {
  const of = (state: NodeStatus['state']): number => nodes.filter((n) => n.state === state).length;
  const others = (['running', 'waiting', 'failed', 'skipped', 'aborted'] as const).filter((state) => of(state) > 0).map((state) => `, ${of(state)} ${state}`);
  return `${of('done')} of ${nodes.length} nodes done${others.join('')}`;
}

/** `w1 1.36.3 → 1.37.2: drain` */
export function nodeSummary(node: NodeStatus): string {
  const error = node.error === null ? '' : ` (${node.error.kind})`;
  return line(`${node.name} ${node.from} → ${node.to}: ${node.step}${error}`);
}

/** `demo 1.36.3 → 1.37.2, 5 nodes, plan 0a1b2c3d4e5f` */
export function planSummary(plan: Plan): string {
  const nodes = plan.hops.flatMap((hop) => hop.nodes);
  const open = nodes.filter((n) => !n.done).length;
  return line(`${plan.cluster} ${plan.from} → ${plan.to}, ${open} of ${nodes.length} nodes to do, plan ${plan.digest}`);
}
