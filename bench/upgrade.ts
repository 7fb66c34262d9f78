import { Client, Connection } from '@temporalio/client';
import { loadConfig } from '../config/load.js';
import type { RunStatus } from '../domain/status.js';
import { type LabCluster, labProbe, type ProbeReport } from '../lab/index.js';
import { maintenanceId, nodeId } from '../workflows/messages.js';
import { runbook } from './runbook.js';
import { Drydock, machine, peakMemory, say, seconds, sleep, table, TO, underLoad, withCluster } from './support.js';

interface Side {
  readonly wallSeconds: number;
  readonly load: number;
  readonly evictions: number;
  readonly probes: ProbeReport['targets'];
  /** Seconds by phase; for drydock those worked on at once overlap. */
  readonly phases: Record<string, number>;
}

/** The same upgrade by drydock and by the runbook, one after the other, each on a fresh cluster of 1 control plane and 2 workers with the workload and its probes. */
export async function benchUpgrade(): Promise<{ json: object; text: string }> {
  const before = machine();
  const drydock = await withCluster('bd', 2, true, byDrydock);
  const script = await withCluster('bs', 2, true, byScript);
  const ratio = Math.round((drydock.wallSeconds / script.wallSeconds) * 100) / 100;
  const json = { bench: 'upgrade', machine: { before, after: machine() }, drydock, script, ratio };
  const failed = ({ probes }: Side, target: string): string => `${probes[target]?.failed ?? '-'} of ${probes[target]?.probes ?? '-'}`;
  const names = [...new Set([...Object.keys(drydock.phases), ...Object.keys(script.phases)])];
  const text = [
    table([
      ['', 'drydock', 'script'], ['wall clock, s', drydock.wallSeconds, script.wallSeconds], ['ratio', ratio, 1], ['mean load of the machine', drydock.load, script.load], ['evictions', drydock.evictions, script.evictions],
      ...['web-a', 'web-b', 'dns', 'api'].map((target) => [`failed probes ${target}`, failed(drydock, target), failed(script, target)]),
    ]),
    '', 'Seconds by phase, summed over nodes (drydock works on several at once where it may):',
    table([['phase', 'drydock', 'script'], ...names.map((name) => [name, drydock.phases[name] ?? '', script.phases[name] ?? ''])]),
    '', `History events: maintenance ${drydock.history.maintenance}, each node ${Object.entries(drydock.history.nodes).map(([node, events]) => `${node} ${events}`).join(', ')}`,
    `Worker memory at most: ${drydock.workerMiB} MiB`,
  ].join('\n');
  return { json, text };
}

async function byDrydock(cluster: LabCluster) {
  const drydock = await Drydock.start(cluster.config);
  try {
    const { server, worker } = await drydock.service();
    let workerMiB = 0;
    let over = false;
    const watching = (async () => {
      for (; !over; await sleep(1_000)) workerMiB = Math.max(workerMiB, await peakMemory(worker?.pid ?? 0));
    })();
    say('upgrade by drydock');
    const since = Math.floor(Date.now() / 1000);
    const began = Date.now();
    const { value: { exitCode, stdout, stderr }, load } = await underLoad(() => drydock.run(['upgrade', '--to', TO, '--yes', '--json', '--config', cluster.config]));
    const wallSeconds = seconds(Date.now() - began);
    over = true;
    await watching;
    if (exitCode !== 0) throw new Error(`drydock upgrade ended with ${exitCode}\n${stderr}`);
    const status = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as RunStatus;
    const { targets: probes } = await labProbe(cluster, since);
    const history = await histories(server.address, cluster);
    const steps = status.steps;
    return { wallSeconds, load, evictions: status.evictions, probes, phases: phasesOf(steps), steps, history, workerMiB };
  } finally {
    await drydock.stop();
  }
}

async function byScript(cluster: LabCluster) {
  const { spec } = await loadConfig(cluster.config);
  say('upgrade by the runbook');
  const since = Math.floor(Date.now() / 1000);
  const began = Date.now();
  const { value: { steps, evictions }, load } = await underLoad(() => runbook(cluster, { to: '1.37.2', minor: TO, revision: '1.1', steadySeconds: spec.ready.steadySeconds, ignorePreflight: spec.upgrade.ignorePreflightErrors }));
  const wallSeconds = seconds(Date.now() - began);
  const { targets: probes } = await labProbe(cluster, since);
  return { wallSeconds, load, evictions, probes, phases: phasesOf(steps), steps };
}

/** One name for what is the same thing on both sides. */
function phasesOf(steps: readonly { step: string; seconds: number }[]): Record<string, number> {
  const phases: Record<string, number> = {};
  for (const { step, seconds: taken } of steps) {
    const name = step.startsWith('kubeadm upgrade') && step !== 'kubeadm upgrade plan' ? 'kubeadm upgrade' : step;
    phases[name] = Math.round(((phases[name] ?? 0) + taken) * 10) / 10;
  }
  return phases;
}

async function histories(address: string, cluster: LabCluster): Promise<{ maintenance: number; nodes: Record<string, number> }> {
  const connection = await Connection.connect({ address });
  try {
    const { workflow } = new Client({ connection });
    const events = async (id: string): Promise<number> => (await workflow.getHandle(id).describe()).historyLength;
    const nodes: Record<string, number> = {};
    for (const { name } of cluster.nodes) nodes[name] = await events(nodeId(cluster.name, name));
    return { maintenance: await events(maintenanceId(cluster.name)), nodes };
  } finally {
    await connection.close();
  }
}
