/** Kills and cuts while a maintenance runs, and how long it takes until there is progress again. */
import { Client, Connection } from '@temporalio/client';
import { dropSsh, restoreSsh, type LabCluster } from '../../lab/index.js';
import type { RunStatus } from '../../domain/status.js';
import { maintenanceId, nodeId, STATUS } from '../../workflows/messages.js';
import type { Drydock, Following } from './lab-drydock.js';
import { note, secondsSince, sleep, until } from './lab-run.js';

/** A Temporal client of the test's own, at the embedded server. */
export async function temporalOf(drydock: Drydock): Promise<{ client: Client; close: () => Promise<void> }> {
  const { server } = await drydock.service();
  if (!server) throw new Error('the embedded server does not run');
  const connection = await Connection.connect({ address: server.address });
  return { client: new Client({ connection }), close: () => connection.close() };
}

const newest = (status: RunStatus): number =>
  Math.max(...[status.since, ...status.nodes.flatMap(({ since }) => since ?? []), ...status.events.map(({ at }) => at), ...status.steps.map(({ startedAt }) => startedAt)].map((at) => Date.parse(at)));

interface Stamp {
  seconds?: { toString(): string } | null;
  nanos?: number | null;
}
const epochMs = (stamp: Stamp | null | undefined): number => (stamp ? Number(stamp.seconds?.toString() ?? 0) * 1000 + (stamp.nanos ?? 0) / 1e6 : 0);

/** Proof that a worker is at it again: an activity that was started or has heartbeated since, or something new in the status. */
async function progressed(client: Client, cluster: LabCluster, since: number): Promise<string | undefined> {
  const ids = [maintenanceId(cluster.name), ...cluster.nodes.map(({ name }) => nodeId(cluster.name, name))];
  const found = await Promise.all(ids.map(async (id) => {
    const handle = client.workflow.getHandle(id);
    const { raw } = await client.withDeadline(Date.now() + 1_500, () => handle.describe());
    const active = (raw.pendingActivities ?? []).find(({ lastStartedTime, lastHeartbeatTime }) => Math.max(epochMs(lastStartedTime), epochMs(lastHeartbeatTime)) > since);
    return active ? `activity ${active.activityType?.name} of ${id}` : undefined;
  }).map((asked) => asked.catch(() => undefined)));
  const activity = found.find((text) => text !== undefined);
  if (activity !== undefined) return activity;
  const status = await client.withDeadline(Date.now() + 1_500, () => client.workflow.getHandle(maintenanceId(cluster.name)).query<RunStatus>(STATUS)).catch(() => undefined);
  return status && newest(status) > since ? 'a new step or event' : undefined;
}

export interface Kill {
  readonly what: 'worker' | 'server';
  readonly at: string;
  readonly seconds: number;
}

/** Kills worker or server of the embedded Temporal by its pid and waits for progress. `at`: what the maintenance was doing. */
export async function killAndWait(drydock: Drydock, cluster: LabCluster, client: Client, what: 'worker' | 'server', doing: string): Promise<Kill> {
  const pid = (await drydock.service())[what]?.pid;
  if (pid === undefined) throw new Error(`no ${what} runs`);
  const began = Date.now();
  process.kill(pid, 'SIGKILL');
  // What was on its way at that moment may still arrive.
  const proof = await until(`progress after the kill of the ${what} (pid ${pid})`, 90, () => progressed(client, cluster, began + 250), 200);
  const seconds = secondsSince(began);
  note(`${what} killed (pid ${pid}) during ${doing}: progress after ${seconds} s (${proof})`);
  return { what, at: doing, seconds };
}

/** Drops ssh packets of a node while it is at a step, for a while. */
export async function cutSsh(cluster: LabCluster, following: Following, node: string, step: RegExp, seconds: number): Promise<string> {
  const at = await stepOf(following, node, step);
  await dropSsh(cluster, node);
  note(`ssh of ${node} cut at "${at}" for ${seconds} s`);
  await sleep(seconds * 1000);
  await restoreSsh(cluster, node);
  return at;
}

/** Looked at often, for some steps last a second. */
async function stepOf(following: Following, node: string, step: RegExp): Promise<string> {
  while (following.code === undefined) {
    const at = following.last?.nodes.find((each) => each.name === node && each.state === 'running')?.step;
    if (at !== undefined && step.test(at)) return at;
    await sleep(50);
  }
  throw new Error(`the maintenance ended before ${node} was seen at ${step.source}`);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
