/** One run of the tests on real clusters: its own state folder, its own clusters, progress while it waits, and what is needed to understand a failure. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { labDown, labUp, labWorkload, type LabCluster, type LabSpec } from '../../lab/index.js';
import { kubectl } from '../../lab/kubeadm.js';
import { freePort } from './sshd.js';

export const HOME = fileURLToPath(new URL('../../..', import.meta.url));
const BEGAN = Date.now();

export const note = (text: string): void => console.log(`      [${String(Math.round((Date.now() - BEGAN) / 1000)).padStart(4)} s] ${text}`);
export const secondsSince = (from: number): number => Math.round((Date.now() - from) / 100) / 10;
export { sleep };

let folder: Promise<string> | undefined;
const made = new Map<string, LabCluster>();
const names = new Set<string>();
let current: LabCluster | undefined;

/** Folder of this run. The embedded Temporal in it takes ports of its own: the developer's is not disturbed. */
export function runFolder(): Promise<string> {
  folder ??= (async () => {
    const path = await mkdtemp(join(tmpdir(), 'drydock-test-lab-'));
    await mkdir(join(path, 'state'), { mode: 0o700 });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => giveUp(signal, path));
    await writeFile(join(path, 'state', 'ports.json'), JSON.stringify({ port: await freePort(), uiPort: await freePort() }));
    note(`state of this run: ${path}`);
    return path;
  })();
  return folder;
}

/** Told to stop in the middle: what runs in the background must not outlive us. */
function giveUp(signal: NodeJS.Signals, path: string): never {
  note(`${signal}: removing what this run made`);
  const env = { ...process.env, DRYDOCK_STATE_DIR: join(path, 'state') };
  spawnSync(join(HOME, 'drydock'), ['service', 'stop'], { env, timeout: 20_000 });
  for (const name of names) spawnSync(join(HOME, 'drydock'), ['lab', 'down', name], { env, timeout: 30_000 });
  process.exit(signal === 'SIGINT' ? 130 : 143);
}

export const environment = async (): Promise<NodeJS.ProcessEnv> => ({ ...process.env, DRYDOCK_STATE_DIR: join(await runFolder(), 'state'), NO_COLOR: '1' });

export interface ClusterWish extends Omit<LabSpec, 'name' | 'folder'> {
  readonly workload?: boolean;
  /** Other clusters of this run stay up beside it. */
  readonly beside?: boolean;
}

/** A cluster that all suites with the same key share. The ones of other keys are removed first: one at a time fits a small machine. */
export function useCluster(key: string, wish: ClusterWish): () => LabCluster {
  before(`a cluster at ${wish.version}`, async function () {
    this.timeout(60 * 60_000);
    const cluster = made.get(key) ?? (await make(key, wish));
    if (!wish.beside) current = cluster;
  });
  return () => {
    const cluster = made.get(key);
    if (!cluster) throw new Error(`the cluster ${key} was not made`);
    return cluster;
  };
}

/** A name of this run alone, so that what another run left behind is never in the way. */
const clusterName = (key: string): string => `t${process.pid % 100_000}${key}`;

async function make(key: string, { workload, beside, ...spec }: ClusterWish): Promise<LabCluster> {
  if (!beside) for (const other of [...made.keys()]) await remove(other);
  const name = clusterName(key);
  names.add(name);
  const began = Date.now();
  await runFolder();
  const cluster = await labUp({ ...spec, name, folder: HOME, onProgress: note }).catch(async (error: unknown) => {
    await labDown(name);
    throw error;
  });
  made.set(key, cluster);
  note(`${name}: up after ${secondsSince(began)} s`);
  if (workload) await labWorkload(cluster, { barePod: false, onProgress: note });
  return cluster;
}

async function remove(key: string): Promise<void> {
  const cluster = made.get(key);
  made.delete(key);
  if (!cluster || process.env['DRYDOCK_TEST_KEEP'] !== undefined) return;
  await labDown(cluster.name, note);
  names.delete(cluster.name);
}

/** Asks until the answer is something; at the deadline it throws with what was last seen. */
export async function until<T>(what: string, seconds: number, ask: () => Promise<T | undefined | false> | T | undefined | false, everyMs = 300): Promise<T> {
  const began = Date.now();
  let said = began;
  let error: string | undefined;
  for (;;) {
    const answer = await Promise.resolve().then(ask).catch((problem: unknown) => void (error = problem instanceof Error ? problem.message : String(problem)));
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() - began > seconds * 1000) throw new Error(`${what}: not seen within ${seconds} s${error === undefined ? '' : ` (last error: ${error})`}`);
    if (Date.now() - said > 20_000) {
      said = Date.now();
      note(`waiting for ${what}, ${secondsSince(began)} s`);
    }
    await sleep(everyMs);
  }
}

/** All that one looks at first when a test failed. */
async function dump(cluster: LabCluster): Promise<void> {
  const env = await environment();
  const cli = (...args: string[]): Promise<string> => output(join(HOME, 'drydock'), args, env);
  const kube = (...args: string[]): Promise<string> => kubectl(cluster, args, { timeoutSeconds: 20 }).catch((error: unknown) => String(error));
  const log = await readFile(join(await runFolder(), 'state', 'worker.log'), 'utf8').catch(() => '(none)');
  const parts: [string, string][] = [
    ['status --json', await cli('status', '--json', '--config', cluster.config)],
    ['worker log', log.split('\n').slice(-40).join('\n')],
    ['nodes', await kube('get', 'nodes', '-o', 'wide')],
    ['pods', await kube('get', 'pods', '-A', '-o', 'wide')],
  ];
  for (const [title, text] of parts) console.log(`      --- ${title}\n${text.trimEnd().split('\n').map((line) => `      ${line}`).join('\n')}`);
}

function output(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('close', () => resolve(text));
    child.on('error', (error) => resolve(String(error)));
  });
}

afterEach(async function () {
  if (this.currentTest?.state !== 'failed' || !current || !made.size) return;
  this.timeout(120_000);
  await dump(current);
});

after('service stopped, clusters removed', async function () {
  if (!folder) return;
  this.timeout(10 * 60_000);
  const path = await folder;
  note((await output(join(HOME, 'drydock'), ['service', 'stop'], await environment())).trim());
  for (const key of [...made.keys()]) await remove(key);
  if (process.env['DRYDOCK_TEST_KEEP'] === undefined) await rm(path, { recursive: true, force: true });
});
