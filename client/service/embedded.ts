import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SEARCH_ATTRIBUTES, TASK_QUEUE } from '../../workflows/messages.js';
import { withLock } from './lock.js';
import { clusterRegistry, stateDir } from './paths.js';
import { isAlive, type ProcessRecord, readRecord, startDetached, stop } from './processes.js';
import { type Say, temporalProgram } from './temporal-program.js';

/** The embedded Temporal: a dev server on loopback with a database file, and a worker, both in the background. */
export interface ServiceStatus {
  readonly server: { readonly pid: number; readonly address: string; readonly webUi: string } | null;
  readonly worker: { readonly pid: number } | null;
}

interface Ports {
  readonly port: number;
  readonly uiPort: number;
}

const WORKER_MAIN = fileURLToPath(new URL('../../worker/main.js', import.meta.url));
const BUILT = fileURLToPath(new URL('../../.built', import.meta.url));

const file = (name: string): string => join(stateDir(), name);
export const logFiles = { server: (): string => file('server.log'), worker: (): string => file('worker.log') };

/** Starts what is not running. Quick when all is well: two reads of /proc and one connection. Ports stay the same over restarts, so that everybody finds back. */
export async function ensureService(say: Say): Promise<{ address: string; webUi: string }> {
  const ports = await readPorts();
  if (ports && (await isAlive(await readRecord(file('server.json')))) && (await workerIsGood()) && (await answers(ports.port))) return addresses(ports);
  return withLock(file('service.lock'), async () => {
    const chosen = (await readPorts()) ?? (await choosePorts());
    const start = Date.now();
    if (!(await isAlive(await readRecord(file('server.json'))))) {
      await startServer(chosen, await temporalProgram(say));
      say(`Temporal server started on 127.0.0.1:${chosen.port} (web UI http://127.0.0.1:${chosen.uiPort})`);
    }
    if (!(await workerIsGood())) {
      await stop(file('worker.json'));
      await startWorker(chosen);
    }
    await untilAnswers(chosen, start);
    return addresses(chosen);
  });
}

export async function serviceStatus(): Promise<ServiceStatus> {
  const ports = await readPorts();
  const [server, worker] = await Promise.all([living('server.json'), living('worker.json')]);
  return {
    server: server && ports ? { pid: server.pid, ...addresses(ports) } : null,
    worker: worker ? { pid: worker.pid } : null,
  };
}

/** Stops worker, then server. Running maintenances stay as they are and go on at the next command. */
export async function stopService(): Promise<{ server: boolean; worker: boolean }> {
  return withLock(file('service.lock'), async () => ({ worker: await stop(file('worker.json')), server: await stop(file('server.json')) }));
}

const addresses = (ports: Ports) => ({ address: `127.0.0.1:${ports.port}`, webUi: `http://127.0.0.1:${ports.uiPort}` });

async function living(name: string): Promise<ProcessRecord | undefined> {
  const record = await readRecord(file(name));
  return (await isAlive(record)) ? record : undefined;
}

/** Alive, and of this very build: code and recorded workflows must fit each other. */
async function workerIsGood(): Promise<boolean> {
  if (!(await living('worker.json'))) return false;
  const ready = await readJson<{ build: string }>(file('worker-ready.json'));
  return ready === undefined || ready.build === (await buildId());
}

async function buildId(): Promise<string> {
  return String((await stat(BUILT).catch(() => ({ mtimeMs: 0 }))).mtimeMs);
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

async function startWorker(ports: Ports): Promise<void> {
  const args = [
    '--max-old-space-size=256', '--max-semi-space-size=4', WORKER_MAIN,
    '--registry', clusterRegistry(), '--address', addresses(ports).address, '--task-queue', TASK_QUEUE,
    '--ready-file', file('worker-ready.json'), '--build', await buildId(),
  ];
  await startDetached(process.execPath, args, logFiles.worker(), file('worker.json'));
}

async function untilAnswers(ports: Ports, start: number): Promise<void> {
  const deadline = start + 60_000;
  for (;;) {
    if (!(await living('server.json'))) throw new Error(`The Temporal server ended at once. Its log: ${logFiles.server()}\n${await tail(logFiles.server())}`);
    if (!(await living('worker.json'))) throw new Error(`The worker ended at once. Its log: ${logFiles.worker()}\n${await tail(logFiles.worker())}`);
    const worker = await living('worker.json');
    const ready = await readJson<{ pid: number }>(file('worker-ready.json'));
    if ((await answers(ports.port)) && ready?.pid === worker?.pid) return;
    if (Date.now() > deadline) throw new Error(`The embedded Temporal did not come up within 60 s. Logs: ${logFiles.server()}, ${logFiles.worker()}\n${await tail(logFiles.worker())}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
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

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => done(false));
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

async function tail(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).split('\n').slice(-8).join('\n');
}
