import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A background process of ours. `started` tells it from another process that got the same pid later. */
export interface ProcessRecord {
  readonly pid: number;
  readonly started: string;
}

/** Start time of a process as the kernel keeps it, undefined when there is none. On systems without /proc: 'alive' or undefined. */
export async function startTime(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    if (process.platform === 'linux') return undefined;
    try {
      process.kill(pid, 0);
      return 'alive';
    } catch {
      return undefined;
    }
  }
}

export async function isAlive(record: ProcessRecord | undefined): Promise<boolean> {
  return record !== undefined && (await startTime(record.pid)) === record.started;
}

export const readRecord = (path: string): Promise<ProcessRecord | undefined> => readJson<ProcessRecord>(path);

/** What a state file holds; undefined where it is not there or not whole. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** Starts a program in a session of its own, output appended to a log (0600); its record, with what is to be remembered of it, is written before this returns. */
export async function startDetached(program: string, args: readonly string[], log: string, record: string, details: Readonly<Record<string, string>> = {}): Promise<ProcessRecord> {
  await mkdir(dirname(log), { recursive: true, mode: 0o700 });
  const output = openSync(log, 'a', 0o600);
  try {
    const child = spawn(program, args, { detached: true, stdio: ['ignore', output, output] });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const entry = { ...details, pid: child.pid ?? 0, started: (await startTime(child.pid ?? 0)) ?? 'ended' };
    await writeFile(`${record}.new`, JSON.stringify(entry), { mode: 0o600 });
    await rename(`${record}.new`, record);
    return entry;
  } finally {
    closeSync(output);
  }
}

/** SIGTERM, then SIGKILL after `graceMs`; only ever to the process of the record. True when it ran. */
export async function stop(path: string, graceMs = 8_000): Promise<boolean> {
  const record = await readRecord(path);
  const ran = await isAlive(record);
  if (record && ran) {
    process.kill(record.pid, 'SIGTERM');
    const deadline = Date.now() + graceMs;
    while ((await isAlive(record)) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    if (await isAlive(record)) process.kill(record.pid, 'SIGKILL');
  }
  await rm(path, { force: true });
  return ran;
}
