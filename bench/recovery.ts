import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import type { LabCluster } from '../lab/index.js';
import { maintenanceId, nodeId } from '../workflows/messages.js';
import { Drydock, machine, median, say, seconds, sleep, table, TO, withCluster } from './support.js';

/** An upgrade of 1 control plane and 2 workers whose worker process is killed again and again: seconds from `kill -9` to the next progress. */
export async function benchRecovery(kills = 6): Promise<{ json: object; text: string }> {
  const before = machine();
  const found = await withCluster('br', 2, true, (cluster) => killed(cluster, kills));
  const times = found.recoveries.map(({ seconds: taken }) => taken);
  const json = { bench: 'recovery', machine: { before, after: machine() }, ...found, medianSeconds: median(times), mostSeconds: Math.max(...times) };
  const text = [
    table([['kill', 'during', 'seconds to progress'], ...found.recoveries.map(({ during, seconds: taken }, i) => [i + 1, during, taken])]),
    '', `median ${median(times)} s, most ${Math.max(...times)} s; the upgrade ended with ${found.exitCode} after ${found.wallSeconds} s`,
  ].join('\n');
  return { json, text };
}

async function killed(cluster: LabCluster, kills: number) {
  const drydock = await Drydock.start(cluster.config);
  const { server } = await drydock.service();
  const connection = await Connection.connect({ address: server.address });
  try {
    const { workflow } = new Client({ connection });
    const handles = [maintenanceId(cluster.name), ...cluster.nodes.map(({ name }) => nodeId(cluster.name, name))].map((id) => workflow.getHandle(id));
    const began = Date.now();
    // The follower is what starts a dead worker again.
    const upgrade = drydock.run(['upgrade', '--to', TO, '--yes', '--json', '--config', cluster.config]);
    let over = false;
    const ended = upgrade.finally(() => (over = true));
    const recoveries: { during: string; seconds: number }[] = [];
    while (!over && recoveries.length < kills) {
      await sleep(12_000 + Math.random() * 10_000);
      const pid = (await drydock.service()).worker?.pid;
      const at = await progress(handles);
      if (over || pid === undefined || at.doing === '') continue;
      process.kill(pid, 'SIGKILL');
      const killedAt = Date.now();
      say(`worker ${pid} killed during ${at.doing}`);
      while (!over && !(await progress(handles)).since(killedAt, at.events)) await sleep(200);
      if (!over) recoveries.push({ during: at.doing, seconds: seconds(Date.now() - killedAt) });
    }
    const { exitCode, stderr } = await ended;
    if (exitCode !== 0) throw new Error(`drydock upgrade ended with ${exitCode}\n${stderr}`);
    return { recoveries, exitCode, wallSeconds: seconds(Date.now() - began) };
  } finally {
    await connection.close();
    await drydock.stop();
  }
}

/** Progress after a kill: an activity was begun, heartbeat by a living worker, or ended, as the server has it. */
async function progress(handles: readonly WorkflowHandle[]) {
  const all = await Promise.all(handles.map((handle) => handle.describe().catch(() => undefined)));
  const open = all.filter((info) => info?.status.name === 'RUNNING');
  const pending = open.flatMap((info) => info?.raw.pendingActivities ?? []);
  const time = (stamp: { seconds?: unknown; nanos?: number | null } | null | undefined): number => Number(stamp?.seconds ?? 0) * 1000 + (stamp?.nanos ?? 0) / 1e6;
  const newest = Math.max(0, ...pending.flatMap((activity) => [time(activity.lastStartedTime), time(activity.lastHeartbeatTime)]));
  const events = all.map((info) => info?.historyLength ?? 0).reduce((a, b) => a + b, 0);
  return { events, doing: pending.map((activity) => activity.activityType?.name ?? '').join(', '), since: (moment: number, then: number): boolean => newest > moment || events > then + 1 };
}
