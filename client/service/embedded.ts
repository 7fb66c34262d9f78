import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { SEARCH_ATTRIBUTES } from '../../workflows/messages.js';
import { ensureWorker, livingWorker, stopWorker, workerIsGood, workerIsReady, workerLog, type WorkerNeeds } from './embedded-worker.js';
import { withLock } from './lock.js';
import { stateDir } from './paths.js';
import { isAlive, type ProcessRecord, readJson, readRecord, startDetached, stop } from './processes.js';
import { type Say, temporalProgram } from './temporal-program.js';
import { listens } from './listens.js';

/** The embedded Temporal: a dev server on loopback with a database file, and a worker, both in the background. */
export interface ServiceStatus {
  readonly server: { readonly pid: number; readonly address: string; readonly webUi: string } | null;
  readonly worker: { readonly pid: number } | null;
}

interface Ports {
  readonly port: number;
  readonly uiPort: number;
}

const file = (name: string): string => join(stateDir(), name);
export const logFiles = { server: (): string => file('server.log'), worker: workerLog };

/**
 * Starts what is not running. Quick when all is well: two reads of /proc and one connection. Ports stay the same over restarts, so that everybody finds back;
 * only where another program took them, new ones are chosen.
 */
export async function ensureService(say: Say, needs: WorkerNeeds = { agent: false }): Promise<{ address: string; webUi: string }> {
  const ports = await readPorts();
  // In this order: a port that answers is ours only when our server is alive after it answered.
  if (ports && (await answers(ports.port)) && (await living('server.json')) && (await workerIsGood(addresses(ports).address, needs))) return addresses(ports);
  return withLock(file('service.lock'), async () => {
    const start = Date.now();
    const runs = await living('server.json');
    const saved = await readPorts();
    const chosen = saved && (runs || (await areFree(saved))) ? saved : await choosePorts();
    if (!runs) {
      await startServer(chosen, await temporalProgram(say));
      say(`Temporal server started on 127.0.0.1:${chosen.port} (web UI http://127.0.0.1:${chosen.uiPort})`);
    }
    await ensureWorker(addresses(chosen).address, needs, say);
    await untilAnswers(chosen, start);
    if (!runs) await checkServer(addresses(chosen).address);
    return addresses(chosen);
  });
}

export async function serviceStatus(): Promise<ServiceStatus> {
  const ports = await readPorts();
  const [server, worker] = await Promise.all([living('server.json'), livingWorker()]);
  return {
    server: server && ports ? { pid: server.pid, ...addresses(ports) } : null,
    worker: worker ? { pid: worker.pid } : null,
  };
}

/** Stops worker, then server. Running maintenances stay as they are and go on at the next command. */
export async function stopService(): Promise<{ server: boolean; worker: boolean }> {
  return withLock(file('service.lock'), async () => ({ worker: await stopWorker(), server: await stop(file('server.json')) }));
}

const addresses = (ports: Ports) => ({ address: `127.0.0.1:${ports.port}`, webUi: `http://127.0.0.1:${ports.uiPort}` });

async function living(name: string): Promise<ProcessRecord | undefined> {
  const record = await readRecord(file(name));
  return (await isAlive(record)) ? record : undefined;
}

async function startServer(ports: Ports, program: string): Promise<void> {
  const args = [
    'server', 'start-dev', '--db-filename', file('temporal.db'),
    '--ip', '127.0.0.1', '--port', String(ports.port), '--ui-ip', '127.0.0.1', '--ui-port', String(ports.uiPort),
    '--log-level', 'warn',
    ...SEARCH_ATTRIBUTES.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
  ];
  await startDetached(program, args, logFiles.server(), file('server.json'));
}

async function untilAnswers(ports: Ports, start: number): Promise<void> {
  const deadline = start + 60_000;
  for (;;) {
    if (!(await living('server.json'))) throw new Error(`The Temporal server ended at once. Its log: ${logFiles.server()}\n${await tail(logFiles.server())}`);
    if (!(await livingWorker())) throw new Error(`The worker ended at once. Its log: ${logFiles.worker()}\n${await tail(logFiles.worker())}`);
    if ((await answers(ports.port)) && (await workerIsReady())) return;
    if (Date.now() > deadline) throw new Error(`The embedded Temporal did not come up within 60 s. Logs: ${logFiles.server()}, ${logFiles.worker()}\n${await tail(logFiles.worker())}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What answers speaks Temporal: asked once, right after the start. */
async function checkServer(address: string): Promise<void> {
  const { Connection } = await import('@temporalio/client');
  const connection = await Connection.connect({ address, connectTimeout: '10 seconds' }).catch((error: Error) => {
    throw new Error(`What answers at ${address} is no Temporal server: ${error.message}. The log of ours: ${logFiles.server()}`);
  });
  await connection.close();
}

async function readPorts(): Promise<Ports | undefined> {
  return readJson<Ports>(file('ports.json'));
}

async function choosePorts(): Promise<Ports> {
  await mkdir(stateDir(), { recursive: true, mode: 0o700 });
  const port = (await isFree(7233)) ? 7233 : await freePort();
  const uiPort = (await isFree(8233)) && port === 7233 ? 8233 : await freePort();
  const ports = { port, uiPort };
  await writeFile(file('ports.json'), JSON.stringify(ports), { mode: 0o600 });
  return ports;
}

const areFree = async (ports: Ports): Promise<boolean> => (await isFree(ports.port)) && (await isFree(ports.uiPort));

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

const answers = (port: number): Promise<boolean> => listens({ host: '127.0.0.1', port });

async function tail(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).split('\n').slice(-8).join('\n');
}
