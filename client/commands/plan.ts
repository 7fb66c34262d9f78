import { writeFile } from 'node:fs/promises';
import type { PlanAnswer, UpgradeInput } from '../../workflows/messages.js';
import { type Common, openContext } from '../context.js';
import { EXIT, Exit } from '../exit.js';
import { makePlan } from '../maintenance.js';
import { findingLines, planLines } from '../render/plan.js';

export interface UpgradeOptions extends Common {
  readonly to?: string;
  readonly workers?: string;
  readonly maxUnavailable?: string;
}

/** The workflow's input from the command line's options. Throws Exit 2 for what cannot be meant. */
export function upgradeInput(cluster: string, options: UpgradeOptions, digest?: string): UpgradeInput {
  const { to, workers, maxUnavailable } = options;
  if (to === undefined || !/^v?\d+\.\d+(\.\d+(-[0-9A-Za-z.-]+)?)?$/.test(to)) throw new Exit(EXIT.usage, `--to: found ${JSON.stringify(to ?? '')}, wanted a minor such as 1.37 or a version such as 1.37.2`);
  if (workers !== undefined && workers !== 'rolling' && workers !== 'all-at-once') throw new Exit(EXIT.usage, `--workers: found ${JSON.stringify(workers)}, wanted rolling or all-at-once`);
  if (maxUnavailable !== undefined && !/^[1-9]\d*%?$/.test(maxUnavailable)) throw new Exit(EXIT.usage, `--max-unavailable: found ${JSON.stringify(maxUnavailable)}, wanted a count or a share such as 1 or 20%`);
  return { cluster, to, ...(digest ? { digest } : {}), ...(workers ? { workers } : {}), ...(maxUnavailable ? { maxUnavailable } : {}) };
}

/** Every finding; exit 3 when one refuses. */
export async function check(options: UpgradeOptions): Promise<number> {
  if (options.to !== undefined) upgradeInput('', options);
  const context = await openContext(options);
  try {
    const answer = await makePlan(context, { cluster: context.cluster, to: options.to === undefined ? 'next' : upgradeInput(context.cluster, options).to });
    if (options.json) process.stdout.write(`${JSON.stringify({ cluster: context.cluster, refusals: answer.refusals, warnings: answer.warnings }, null, 2)}\n`);
    else {
      const findings = [...answer.refusals, ...answer.warnings];
      const lines = findings.length > 0 ? findingLines(findings) : ['Nothing found: this cluster is ready.'];
      if (answer.plan) lines.push('', `An upgrade to ${answer.plan.to} would be carried out. See it: drydock plan upgrade --to ${answer.plan.to}`);
      process.stdout.write(`${lines.join('\n')}\n`);
    }
    return answer.refusals.length > 0 ? EXIT.refused : EXIT.done;
  } finally {
    await context.close();
  }
}

export async function plan(args: readonly string[], options: UpgradeOptions & { out?: string }): Promise<number> {
  if (args[0] !== 'upgrade') throw new Exit(EXIT.usage, `plan: found ${JSON.stringify(args[0])}, wanted upgrade`);
  upgradeInput('', options);
  const context = await openContext(options);
  try {
    const answer = await makePlan(context, upgradeInput(context.cluster, options));
    if (options.out && answer.plan) await writeFile(options.out, `${JSON.stringify(planJson(context.cluster, answer, options), null, 2)}\n`);
    if (options.json) process.stdout.write(`${JSON.stringify(planJson(context.cluster, answer, options), null, 2)}\n`);
    else process.stdout.write(`${planText(answer).join('\n')}\n${options.out && answer.plan ? `Written to ${options.out}. Carry it out: drydock upgrade ${options.out}\n` : ''}`);
    return answer.refusals.length > 0 ? EXIT.refused : EXIT.done;
  } finally {
    await context.close();
  }
}

export function planText(answer: PlanAnswer): string[] {
  return [...findingLines([...answer.refusals, ...answer.warnings]), ...(answer.plan ? planLines(answer.plan) : [])];
}

/** `plan --json` and the saved plan: `{cluster, from, to, hops, nodes, warnings, refusals, estimate, digest}` and how it was asked for. */
export function planJson(cluster: string, answer: PlanAnswer, options: UpgradeOptions) {
  const { plan } = answer;
  return {
    cluster,
    from: plan?.from ?? null,
    to: plan?.to ?? options.to ?? null,
    hops: plan?.hops.map(({ from, to, minor }) => ({ from, to, minor })) ?? [],
    nodes: plan?.hops.flatMap((hop) => hop.nodes) ?? [],
    warnings: answer.warnings,
    refusals: answer.refusals,
    estimate: plan?.estimateSeconds ?? null,
    digest: plan?.digest ?? null,
    workers: options.workers ?? null,
    maxUnavailable: options.maxUnavailable ?? null,
  };
}
