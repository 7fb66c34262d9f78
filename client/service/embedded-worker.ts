import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TASK_QUEUE } from '../../workflows/messages.js';
import { type Build, installedBuild, keepInstalledBundle, keptBundle, removeOtherBundles } from './build.js';
import { clusterRegistry, stateDir } from './paths.js';
import { isAlive, type ProcessRecord, readJson, startDetached, stop } from './processes.js';
import type { Say } from './temporal-program.js';
import { listens } from './listens.js';

/** The worker as it was started. */
interface WorkerRecord extends ProcessRecord, Build {
  readonly address: string;
  /** SSH_AUTH_SOCK of the shell that started it. */
  readonly agent?: string;
}

export interface WorkerNeeds {
  /** The configuration says ssh.agent. */
  readonly agent: boolean;
}

const WORKER_MAIN = fileURLToPath(new URL('../../worker/main.js', import.meta.url));
const file = (name: string): string => join(stateDir(), name);
const RECORD = 'worker.json';
/** Which workflows the embedded worker runs; outlives the worker. */
const BUNDLE_RECORD = 'worker-bundle.json';
const READY = 'worker-ready.json';
const OPEN_MAINTENANCES = 'ExecutionStatus="Running" AND WorkflowType IN ("upgradeCluster","upgradeNode")';

export const workerLog = (): string => file('worker.log');

/** An older worker was found to be needed: believed for a while, so that following a maintenance does not ask each second. */
const kept = { bundle: '', until: 0 };
const KEPT_MS = 10_000;

export async function livingWorker(): Promise<WorkerRecord | undefined> {
  const record = await readJson<WorkerRecord>(file(RECORD));
  return (await isAlive(record)) ? record : undefined;
}

/** Alive, of this build (or found to be needed as it is), at this server, with an SSH agent where one is needed. */
export async function workerIsGood(address: string, needs: WorkerNeeds): Promise<boolean> {
  const record = await livingWorker();
  if (!record || record.address !== address) return false;
  const { build, bundle } = await installedBuild();
  const fits = (record.build === build && record.bundle === bundle) || (record.bundle === kept.bundle && Date.now() < kept.until);
  return fits && !(needs.agent && (await hasLostAgent(record)));
}

/** Starts the right worker where it does not run; the server must be up, or coming up. Only under the service's lock. */
export async function ensureWorker(address: string, needs: WorkerNeeds, say: Say): Promise<void> {
  const installed = await installedBuild();
  const earlier = await bundleToKeep(installed, address);
  if (earlier !== undefined) {
    if (kept.bundle !== earlier) say('drydock was rebuilt; the worker goes on with the workflows that the open maintenance began with, until it ends.');
    Object.assign(kept, { bundle: earlier, until: Date.now() + KEPT_MS });
  }
  const record = await livingWorker();
  const fits = record && (earlier !== undefined ? record.bundle === earlier : record.build === installed.build && record.bundle === installed.bundle);
  if (record && fits && record.address === address && !(needs.agent && (await hasLostAgent(record)))) return;
  await stop(file(RECORD));
  await startWorker(address, installed.build, earlier ?? (await keepInstalledBundle()));
}

export const stopWorker = (): Promise<boolean> => stop(file(RECORD));

/** It has said that it polls. */
export async function workerIsReady(): Promise<boolean> {
  const worker = await livingWorker();
  return worker !== undefined && (await readJson<{ pid: number }>(file(READY)))?.pid === worker.pid;
}

/** The workflows that an open maintenance began with, when they are others than the ones built here: its history fits only those. */
async function bundleToKeep(installed: Build, address: string): Promise<string | undefined> {
  const recorded = (await readJson<{ bundle: string }>(file(BUNDLE_RECORD)))?.bundle;
  if (recorded === undefined || recorded === installed.bundle || !(await exists(keptBundle(recorded)))) return undefined;
  return (await openMaintenances(address)) > 0 ? recorded : undefined;
}

async function openMaintenances(address: string): Promise<number> {
  const { Client, Connection } = await import('@temporalio/client');
  const deadline = Date.now() + 60_000;
  for (;;) {
    let connection: Awaited<ReturnType<typeof Connection.connect>> | undefined;
    try {
      connection = await Connection.connect({ address, connectTimeout: '5 seconds' });
      const { count } = await new Client({ connection }).workflow.count(OPEN_MAINTENANCES);
      return count;
    } catch (error) {
      // The server may be starting.
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    } finally {
      await connection?.close();
    }
  }
}

async function startWorker(address: string, build: string, bundle: string): Promise<void> {
  await writeFile(file(BUNDLE_RECORD), JSON.stringify({ bundle }), { mode: 0o600 });
  await removeOtherBundles(bundle);
  const args = [
    '--max-old-space-size=256', '--max-semi-space-size=4', WORKER_MAIN,
    '--registry', clusterRegistry(), '--address', address, '--task-queue', TASK_QUEUE, '--bundle', keptBundle(bundle), '--ready-file', file(READY),
  ];
  const agent = process.env['SSH_AUTH_SOCK'];
  await startDetached(process.execPath, args, workerLog(), file(RECORD), { build, bundle, address, ...(agent ? { agent } : {}) });
}

/** Its shell's agent is gone, and ours is there. */
async function hasLostAgent(record: WorkerRecord): Promise<boolean> {
  const ours = process.env['SSH_AUTH_SOCK'];
  if (!ours || ours === record.agent) return false;
  return !(record.agent && (await listens({ path: record.agent }))) && (await listens({ path: ours }));
}

const exists = (path: string): Promise<boolean> => access(path).then(() => true, () => false);
