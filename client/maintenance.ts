import {
  type Client, isGrpcServiceError, QueryNotRegisteredError, ServiceError, WorkflowExecutionAlreadyStartedError, WorkflowFailedError, type WorkflowHandle, WorkflowNotFoundError, WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, defineSearchAttributeKey, SearchAttributeType, TerminatedFailure, TimeoutFailure, TypedSearchAttributes } from '@temporalio/common';
import { exitCodeOf, isFailureKind, nextAction } from '../domain/failure.js';
import type { RunStatus } from '../domain/status.js';
import { maintenanceId, type OperatorSay, type PlanAnswer, type Said, STATUS, TASK_QUEUE, type UpdateName, type UpgradeInput, type UpgradeResult } from '../workflows/messages.js';
import { type Context, whoAmI } from './context.js';
import { Exit, EXIT } from './exit.js';

/** TASK_QUEUE_TYPE_WORKFLOW of the server's API. */
const WORKFLOW_TASKS = 1;

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);

/** What kind of run a cluster's maintenance is and how it stands in Temporal, undefined when there never was one. */
export interface Held {
  readonly running: boolean;
  readonly by: string;
  readonly startedAt: Date;
  readonly operation: string;
  readonly runId: string;
}

export async function heldBy(context: Context): Promise<Held | undefined> {
  try {
    const info = await context.client.workflow.getHandle(maintenanceId(context.cluster)).describe();
    const memo = info.memo as { by?: string; operation?: string } | undefined;
    return { running: isOpen(info.status.name), by: memo?.by ?? 'unknown', startedAt: info.startTime, operation: memo?.operation ?? info.type, runId: info.runId };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

export function refuseHeld(cluster: string, held: Held): never {
  throw new Exit(EXIT.held, `Cluster ${cluster} is held by another maintenance: ${held.operation}, started by ${held.by} at ${held.startedAt.toISOString()}.\nFollow it: drydock watch · End it: drydock abort`);
}

/** How often a worker is asked whether it is there, while its answer is waited for. */
const ASK_WORKER_MS = 5_000;

/** Facts, preflight and plan, made by a worker. Throws Exit 6 when no worker answers for `patienceMs`. */
export async function makePlan(context: Context, input: UpgradeInput, patienceMs = 30_000): Promise<PlanAnswer> {
  const stop = new AbortController();
  let handle: WorkflowHandle<(input: UpgradeInput) => Promise<PlanAnswer>> | undefined;
  try {
    handle = await context.client.workflow.start<(input: UpgradeInput) => Promise<PlanAnswer>>('planClusterUpgrade', {
      taskQueue: TASK_QUEUE,
      workflowId: `plan/${context.cluster}/${Date.now().toString(36)}-${process.pid}`,
      workflowTaskTimeout: '5 seconds',
      workflowExecutionTimeout: '20 minutes',
      staticSummary: `Plan ${context.cluster} to ${input.to}`,
      typedSearchAttributes: searchAttributes(context.cluster, 'plan', input.to),
      args: [input],
    });
    return await Promise.race([handle.result(), untilNoWorker(context, handle, patienceMs, stop.signal)]);
  } catch (error) {
    // Given up: nobody waits for it any more.
    if (error instanceof Exit) await handle?.terminate('no worker answered').catch(() => undefined);
    throw asExit(error);
  } finally {
    stop.abort();
  }
}

/** Never resolves; throws when no worker has answered for so long. A dead embedded worker is started again meanwhile. */
async function untilNoWorker(context: Context, handle: WorkflowHandle, patienceMs: number, stop: AbortSignal): Promise<never> {
  const every = Math.min(ASK_WORKER_MS, patienceMs / 4);
  let answered = Date.now();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, every));
    if (stop.aborted) return new Promise<never>(() => undefined);
    if (await workerAnswers(context.client, handle, every)) answered = Date.now();
    else if (Date.now() - answered < patienceMs) await context.revive().catch(() => undefined);
    else throw new Exit(EXIT.unreachable, await whyNoWorker(context, patienceMs));
  }
}

/** Every workflow of the library answers this query, and it takes a worker to do it. */
async function workerAnswers(client: Client, handle: WorkflowHandle, deadlineMs: number): Promise<boolean> {
  try {
    await client.withDeadline(Date.now() + deadlineMs, () => handle.query('__stack_trace'));
    return true;
  } catch (error) {
    return !(error instanceof ServiceError);
  }
}

async function whyNoWorker(context: Context, patienceMs: number): Promise<string> {
  const seconds = Math.round(patienceMs / 1000);
  const { temporal } = context.config;
  if (temporal === undefined) return `The embedded worker has not answered for ${seconds} s. See why: drydock service logs · Start it anew: drydock service stop, then this command again.`;
  const { pollers } = await context.client.workflowService.describeTaskQueue({ namespace: temporal.namespace, taskQueue: { name: TASK_QUEUE }, taskQueueType: WORKFLOW_TASKS });
  // The server remembers pollers for minutes after their end.
  const recent = (pollers ?? []).filter(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 > Date.now() - 75_000 - patienceMs);
  return recent.length === 0
    ? `No worker polls the task queue ${TASK_QUEUE} at ${temporal.address}, namespace ${temporal.namespace}. Start one: drydock worker --cluster-config FILE`
    : `No worker has answered for ${seconds} s; last seen at the task queue ${TASK_QUEUE}: ${recent.map(({ identity }) => identity).join(', ')}. See that it runs and what its log says.`;
}

/** Starts the one maintenance of a cluster. Throws Exit 7 when another holds it: the server decides, not we. */
export async function startUpgrade(context: Context, input: UpgradeInput): Promise<WorkflowHandle> {
  try {
    return await context.client.workflow.start<(input: UpgradeInput) => Promise<UpgradeResult>>('upgradeCluster', {
      taskQueue: TASK_QUEUE,
      workflowId: maintenanceId(context.cluster),
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowTaskTimeout: '5 seconds',
      staticSummary: `Upgrade ${context.cluster} to ${input.to}`,
      staticDetails: `Started by ${whoAmI()}. Steer it with the updates pause, resume, retry, skip, abort; see "Current details" for where it is.`,
      memo: { by: whoAmI(), operation: `upgrade to ${input.to}` },
      typedSearchAttributes: searchAttributes(context.cluster, 'upgrade', input.to),
      args: [input],
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      const held = await heldBy(context);
      if (held) refuseHeld(context.cluster, held);
    }
    throw asExit(error);
  }
}

function searchAttributes(cluster: string, operation: string, version: string): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: keyword('DrydockCluster'), value: cluster },
    { key: keyword('DrydockOperation'), value: operation },
    { key: keyword('DrydockVersion'), value: version },
    { key: keyword('DrydockState'), value: 'running' },
  ]);
}

const isOpen = (status: string): boolean => status === 'RUNNING' || status === 'PAUSED';
export const hasEnded = (status: RunStatus): boolean => ['done', 'failed', 'aborted'].includes(status.state);

/**
 * The newest maintenance's status, or undefined when there never was one. A closed run answers a query with its last state for ever, and not at all when this
 * version's code cannot replay it: so a state that is not final is compared with what the server knows of the run (unless `trust` says to believe it).
 * Throws the end of a run that left no result.
 */
export async function readStatus(client: Client, cluster: string, deadlineMs = 10_000, trust = false): Promise<RunStatus | undefined> {
  const handle = client.workflow.getHandle(maintenanceId(cluster));
  try {
    const status = await client.withDeadline(Date.now() + deadlineMs, () => handle.query<RunStatus>(STATUS));
    return trust || hasEnded(status) ? status : ((await closedStatus(client, handle, deadlineMs)) ?? status);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    if (error instanceof Exit) throw error;
    const closed = await closedStatus(client, handle, deadlineMs);
    if (closed) return closed;
    throw error instanceof ServiceError ? new NoWorkerAnswers(`No worker answers for ${cluster}: ${error.cause?.message ?? error.message}\nIt goes on when one runs. The embedded one's log: drydock service logs · For a lasting server: drydock worker --cluster-config FILE`) : error;
  }
}

/** The result of a run that has ended, undefined for one that runs. Throws the end of one that has none. */
async function closedStatus(client: Client, handle: WorkflowHandle, deadlineMs: number): Promise<RunStatus | undefined> {
  const { status } = await client.withDeadline(Date.now() + deadlineMs, () => handle.describe());
  if (isOpen(status.name)) return undefined;
  if (status.name === 'COMPLETED') return ((await handle.result()) as UpgradeResult).status;
  throw (await endOf(handle)) ?? new Exit(EXIT.defect, `${handle.workflowId} ended as ${status.name}.`);
}

/** Sends an operator's word and returns how the maintenance recorded it. Throws Exit 2 when it refuses, 4xx kinds as they are. */
export async function tell(context: Context, update: UpdateName, say: Omit<OperatorSay, 'by'>): Promise<string> {
  try {
    const said = await context.client.workflow.getHandle(maintenanceId(context.cluster)).executeUpdate<Said, [OperatorSay]>(update, { args: [{ by: whoAmI(), ...say }] });
    return said.said;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw new Exit(EXIT.usage, `No maintenance of ${context.cluster} is running.`);
    if (error instanceof WorkflowUpdateFailedError) throw new Exit(EXIT.usage, error.cause?.message ?? error.message);
    throw asExit(error);
  }
}

/** The server is there and the run is open, and yet nobody answers for it. */
class NoWorkerAnswers extends Error {}

/** How a run ended that left no result: its failure as an exit. */
async function endOf(handle: WorkflowHandle): Promise<Exit | undefined> {
  try {
    await handle.result();
    return undefined;
  } catch (error) {
    return endedFromOutside(error, handle.workflowId) ?? asExit(error);
  }
}

/** Ended by somebody in Temporal, not by the workflow: nothing was undone and nobody says how the nodes are. */
function endedFromOutside(error: unknown, id: string): Exit | undefined {
  if (!(error instanceof WorkflowFailedError)) return undefined;
  const { cause } = error;
  const how = cause instanceof TerminatedFailure ? 'was terminated' : cause instanceof CancelledFailure ? 'was cancelled' : cause instanceof TimeoutFailure ? 'ran out of its time' : undefined;
  if (how === undefined) return undefined;
  const why = cause?.message && cause instanceof TerminatedFailure ? ` (${cause.message})` : '';
  return new Exit(EXIT.decision, `The maintenance ${id} ${how} in Temporal${why}: it did not come to its own end, and nothing was undone.\nSee how the nodes are (kubectl get nodes; drydock check), its history with drydock open, then start it again: drydock upgrade --to VERSION`);
}

const isTemporal = (error: unknown): error is Error =>
  error instanceof ServiceError || error instanceof QueryNotRegisteredError || error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isGrpcServiceError(error);

/** Any error of a run as an exit code with the failure's name and next action. */
export function asExit(error: unknown): Exit {
  if (error instanceof Exit) return error;
  let cause: unknown = error instanceof WorkflowFailedError ? error.cause : error;
  while (cause instanceof Error && !(cause instanceof ApplicationFailure) && cause.cause instanceof Error) cause = cause.cause;
  if (cause instanceof ApplicationFailure && isFailureKind(cause.type)) {
    return new Exit(exitCodeOf(cause.type), `${cause.type}: ${cause.message}\n${nextAction(cause.type)}`);
  }
  if (error instanceof NoWorkerAnswers) return new Exit(EXIT.unreachable, error.message);
  if (error instanceof WorkflowFailedError && cause instanceof TimeoutFailure) return new Exit(EXIT.unreachable, 'No answer came in time: the work was not done within its limit. See the worker: drydock service logs');
  if (isTemporal(error)) return new Exit(EXIT.unreachable, `Temporal did not answer: ${error.message}${error.cause instanceof Error ? ` (${error.cause.message})` : ''}`);
  return new Exit(EXIT.defect, error instanceof Error ? (error.stack ?? error.message) : String(error));
}
