import pc from 'picocolors';
import type { Finding, Plan } from '../../domain/plan.js';
import { columns, duration, neutral, plain } from './text.js';

/** Findings, refusals first, each with its evidence and next action. */
export function findingLines(findings: readonly Finding[]): string[] {
  const sorted = neutral([...findings]).sort((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'));
  return sorted.flatMap((finding) => [
    `${finding.severity === 'refusal' ? pc.red('refused') : pc.yellow('warning')}  ${pc.bold(finding.check)}${finding.node ? ` on ${finding.node}` : ''}: ${plain(finding.message)}`,
    ...(finding.evidence ? [pc.dim(`         seen: ${plain(finding.evidence)}`)] : []),
    `         next: ${plain(finding.next)}`,
  ]);
}

export function planLines(given: Plan): string[] {
  const plan = neutral(given);
  const lines = [pc.bold(`Plan ${plan.digest}: ${plan.cluster} ${plan.from} → ${plan.to}, about ${duration(plan.estimateSeconds)}`)];
  for (const hop of plan.hops) {
    lines.push(`  ${hop.from} → ${hop.to}; workers ${plan.policy.workers}, at most ${plan.policy.maxUnavailable} at a time`);
    const rows = hop.nodes.map((node) => [
      node.name, node.role, node.done ? 'nothing to do' : `${node.from} → ${node.to}`, node.done ? '' : `kubeadm upgrade ${node.kubeadm}`,
      node.done ? '' : node.drain ? `drain ${node.pods} pods` : 'no drain',
      [node.keepCordon ? 'stays cordoned' : '', node.budgets.length > 0 ? `budgets ${node.budgets.join(', ')}` : ''].filter(Boolean).join('; '),
    ]);
    lines.push(...columns(rows).map((row) => `    ${row}`));
  }
  return lines;
}
