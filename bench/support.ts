import { mkdtemp, readFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { type LabCluster, labDown, labUp, labWorkload } from '../lab/index.js';

/** The folder of the project: benches run its own ./drydock. */
export const HOME = fileURLToPath(new URL('../../', import.meta.url));
export const FROM = '1.36';
export const TO = '1.37';

export const say = (text: string): void => {
  process.stderr.write(`bench: ${text}\n`);
};

export const seconds = (milliseconds: number): number => Math.round(milliseconds / 100) / 10;
export const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
export const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

/** What a figure has to be read with. */
export const machine = () => ({ cpus: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.version, load: loadavg().map((value) => Math.round(value * 10) / 10), at: new Date().toISOString() });

/** The machine's mean load while `act` runs: what else is at work there slows what is measured. */
export async function underLoad<T>(act: () => Promise<T>): Promise<{ value: T; load: number }> {
  const seen: number[] = [];
  const timer = setInterval(() => seen.push(loadavg()[0] ?? 0), 5_000);
  try {
    const value = await act();
    return { value, load: Math.round((seen.reduce((a, b) => a + b, 0) / Math.max(1, seen.length)) * 10) / 10 };
  } finally {
    clearInterval(timer);
  }
}

export function table(rows: readonly (readonly (string | number)[])[]): string {
  const texts = rows.map((row) => row.map(String));
  const widths = texts[0]?.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0))) ?? [];
  return texts.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')).join('\n');
}

/** A fresh lab cluster for `act`, taken away afterwards. */
export async function withCluster<T>(name: string, workers: number, workload: boolean, act: (cluster: LabCluster) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'drydock-bench-'));
  try {
    const cluster = await labUp({ name, version: FROM, workers, with: [TO], folder, onProgress: say });
    if (workload) await labWorkload(cluster, { onProgress: say });
    return await act(cluster);
  } finally {
    if (process.env['DRYDOCK_BENCH_KEEP'] === undefined) await labDown(name, say).catch((error: unknown) => say(String(error)));
  }
}

/** A drydock of its own: state, Temporal server and worker are nobody else's. */
export class Drydock {
  private constructor(readonly state: string) {}

  static async start(config: string): Promise<Drydock> {
    const drydock = new Drydock(await mkdtemp(join(tmpdir(), 'drydock-bench-state-')));
    await drydock.run(['status', '--config', config]);
    return drydock;
  }

  run(args: readonly string[]) {
    return execa(join(HOME, 'drydock'), args, { env: { DRYDOCK_STATE_DIR: this.state }, stdin: 'ignore', reject: false });
  }

  async service(): Promise<{ server: { pid: number; address: string }; worker: { pid: number } | null }> {
    return JSON.parse((await this.run(['service', 'status', '--json'])).stdout) as { server: { pid: number; address: string }; worker: { pid: number } | null };
  }

  async stop(): Promise<void> {
    await this.run(['service', 'stop']);
  }
}

/** The most memory that a process has had resident, MiB. */
export async function peakMemory(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / 1024);
}
