import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isAlive, type ProcessRecord, startTime } from './processes.js';

/** Runs `act` while this process alone holds the lock file. A lock whose holder is dead is taken over. */
export async function withLock<T>(path: string, act: () => Promise<T>, waitMs = 120_000): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const mine = `${path}.${process.pid}`;
  await writeFile(mine, JSON.stringify({ pid: process.pid, started: await startTime(process.pid) }));
  try {
    const deadline = Date.now() + waitMs;
    // link() is atomic: the lock appears with its holder's name already in it.
    while (!(await tryLink(mine, path))) {
      const holder = await readHolder(path);
      if (holder !== undefined && !(await isAlive(holder))) await rm(path, { force: true });
      else if (Date.now() > deadline) throw new Error(`Another drydock process (pid ${holder?.pid}) has held ${path} for ${waitMs / 1000} s.`);
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
    try {
      return await act();
    } finally {
      await rm(path, { force: true });
    }
  } finally {
    await rm(mine, { force: true });
  }
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(path: string): Promise<ProcessRecord | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessRecord;
  } catch {
    return undefined;
  }
}
