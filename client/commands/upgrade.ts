import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { type Context, openContext } from '../context.js';
import { EXIT, Exit } from '../exit.js';
import { follow } from '../follow.js';
import { heldBy, makePlan, refuseHeld, startUpgrade } from '../maintenance.js';
import { planText, upgradeInput, type UpgradeOptions } from './plan.js';

interface Options extends UpgradeOptions {
  readonly yes?: boolean;
  readonly detach?: boolean;
}

export async function upgrade(args: readonly string[], given: Options): Promise<number> {
  const saved = args[0] === undefined ? undefined : await readPlan(args[0]);
  const options: Options = saved ? { ...given, to: saved.to, ...(saved.workers ? { workers: saved.workers } : {}), ...(saved.maxUnavailable ? { maxUnavailable: saved.maxUnavailable } : {}) } : given;
  if (!options.yes && !process.stdin.isTTY) throw new Exit(EXIT.usage, 'There is no terminal to ask on. Add --yes to start without a question.');
  // What is mistyped is said before anything is started.
  upgradeInput('', options);
  const context = await openContext(options);
  try {
    if (saved && saved.cluster !== context.cluster) throw new Exit(EXIT.usage, `The plan is for cluster ${saved.cluster}; this configuration is of ${context.cluster}.`);
    return await planAndStart(context, options, saved?.digest);
  } finally {
    await context.close();
  }
}

/** Plan, question, start, follow. Also the demo's middle. */
export async function planAndStart(context: Context, options: Options, digest: string | undefined): Promise<number> {
  const held = await heldBy(context);
  if (held?.running) refuseHeld(context.cluster, held);
  const answer = await makePlan(context, upgradeInput(context.cluster, options));
  const text = planText(answer).join('\n');
  process.stderr.write(`${text}\n`);
  if (!answer.plan) return EXIT.refused;
  if (digest !== undefined && digest !== answer.plan.digest) {
    throw new Exit(EXIT.refused, `PlanChanged: the saved plan is ${digest}, the cluster now gives ${answer.plan.digest}. Look at the new one above, then save and carry it out: drydock plan upgrade --to ${answer.plan.to} --out FILE`);
  }
  if (answer.plan.hops.every((hop) => hop.nodes.every((node) => node.done))) {
    process.stderr.write(`Nothing to do: every node of ${context.cluster} is at ${answer.plan.to}.\n`);
    return EXIT.done;
  }
  if (!options.yes && !(await yes(`Carry out this plan on ${context.cluster}?`))) throw new Exit(EXIT.aborted, 'Not started.');
  await startUpgrade(context, upgradeInput(context.cluster, options, answer.plan.digest));
  if (options.detach) {
    process.stderr.write(`Started. Follow it: drydock watch · ${context.webUi ? 'in the web UI: drydock open' : ''}\n`);
    return EXIT.done;
  }
  return follow(context, options.json ?? false);
}

async function yes(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

interface SavedPlan {
  cluster: string;
  to: string;
  digest: string;
  workers?: string;
  maxUnavailable?: string;
}

async function readPlan(path: string): Promise<SavedPlan> {
  let plan: Partial<SavedPlan>;
  try {
    plan = JSON.parse(await readFile(path, 'utf8')) as Partial<SavedPlan>;
  } catch (error) {
    throw new Exit(EXIT.usage, `${path} is no saved plan: ${(error as Error).message}. Save one: drydock plan upgrade --to VERSION --out FILE`);
  }
  const { cluster, to, digest } = plan;
  if (typeof cluster !== 'string' || typeof to !== 'string' || typeof digest !== 'string') {
    throw new Exit(EXIT.usage, `${path} is no saved plan: cluster, to and digest are wanted. Save one: drydock plan upgrade --to VERSION --out FILE`);
  }
  return { cluster, to, digest, ...(plan.workers ? { workers: plan.workers } : {}), ...(plan.maxUnavailable ? { maxUnavailable: plan.maxUnavailable } : {}) };
}
