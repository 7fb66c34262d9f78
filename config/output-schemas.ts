/** JSON Schemas of what `status --json` and `plan --json` print. The types are the domain's; `satisfies` keeps both in step. */
import { z } from 'zod';
import { type FailureKind, FAILURES } from '../domain/failure.js';
import type { Finding, PlannedNode } from '../domain/plan.js';
import { CHECK_NAMES } from '../domain/preflight/names.js';
import type { RunStatus } from '../domain/status.js';

const time = z.iso.datetime().meta({ description: 'ISO 8601' });
const role = z.enum(['control-plane', 'worker']);
const kinds = Object.keys(FAILURES) as [FailureKind, ...FailureKind[]];

const failure = z.object({
  kind: z.enum(kinds).meta({ description: 'One of a closed set; docs/troubleshooting.md has an entry by each name.' }),
  message: z.string(),
  output: z.string().optional().meta({ description: 'What the command printed, cut and redacted.' }),
});

const blocker = z.object({
  pod: z.string().meta({ description: 'namespace/name' }),
  node: z.string(),
  reason: z.string(),
  budget: z.string().optional().meta({ description: 'namespace/name of the budget, when one is the cause.' }),
  since: time,
});

const nodeStatus = z.object({
  name: z.string(),
  role,
  state: z.enum(['notStarted', 'running', 'waiting', 'done', 'failed', 'skipped', 'aborted']),
  step: z.string(),
  since: time.nullable(),
  from: z.string(),
  to: z.string(),
  error: failure.nullable(),
});

export const statusSchema = z.object({
  cluster: z.string(),
  run: z.string().meta({ description: 'Temporal run id of the first run.' }),
  operation: z.string(),
  state: z.enum(['running', 'paused', 'waiting', 'done', 'failed', 'aborted']),
  step: z.string(),
  since: time,
  waitingFor: z.string().nullable(),
  blockers: z.array(blocker),
  nodes: z.array(nodeStatus),
  from: z.string().nullable(),
  to: z.string(),
  digest: z.string().nullable(),
  events: z.array(z.object({ at: time, name: z.string(), node: z.string().optional(), message: z.string() })),
  steps: z.array(z.object({ node: z.string().optional(), step: z.string(), startedAt: time, seconds: z.number() })),
  evictions: z.number(),
}) satisfies z.ZodType<RunStatus>;

const finding = z.object({
  severity: z.enum(['refusal', 'warning']),
  check: z.string().meta({ description: 'Stable name; docs/troubleshooting.md has an entry by each.', examples: [...CHECK_NAMES] }),
  node: z.string().optional(),
  message: z.string(),
  evidence: z.string(),
  next: z.string(),
}) satisfies z.ZodType<Finding>;

const plannedNode = z.object({
  name: z.string(),
  role,
  from: z.string().meta({ description: 'kubelet version now.' }),
  to: z.string(),
  packages: z.object({ kubeadm: z.string(), kubelet: z.string(), kubectl: z.string() }).meta({ description: 'Full package versions.' }),
  kubeadm: z.enum(['apply', 'node']),
  drain: z.boolean(),
  keepCordon: z.boolean().meta({ description: 'Cordoned by somebody else before: stays so.' }),
  pods: z.number().meta({ description: 'Pods that the drain moves.' }),
  budgets: z.array(z.string()).meta({ description: 'Budgets that bind here, namespace/name.' }),
  done: z.boolean().meta({ description: 'Everything is at the target already: nothing is done.' }),
}) satisfies z.ZodType<PlannedNode>;

/** Fields are null when the plan was refused: then `refusals` says why. */
export const planSchema = z.object({
  cluster: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  hops: z.array(z.object({ from: z.string(), to: z.string(), minor: z.string() })),
  nodes: z.array(plannedNode).meta({ description: 'In the order in which they are done.' }),
  warnings: z.array(finding),
  refusals: z.array(finding),
  estimate: z.number().nullable().meta({ description: 'Rough seconds in all.' }),
  digest: z.string().nullable().meta({ description: 'Short hash over what is carried out: what is approved.' }),
  workers: z.enum(['rolling', 'all-at-once']).nullish().meta({ description: 'As asked for on the command line.' }),
  maxUnavailable: z.string().nullish(),
});

const OUTPUT = { target: 'draft-7', io: 'output' } as const;

export const statusJsonSchema = (): object => ({ ...z.toJSONSchema(statusSchema, OUTPUT), title: 'drydock status --json' });
export const planJsonSchema = (): object => ({ ...z.toJSONSchema(planSchema, OUTPUT), title: 'drydock plan --json' });
