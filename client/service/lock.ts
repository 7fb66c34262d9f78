import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isAlive, type ProcessRecord, startTime } from './processes.js';

let taken = 0;

/** Runs `act` while this process alone holds the lock file. A lock whose holder is dead is taken over. */
export async function withLock<T>(path: string, act: () => Promise<T>, waitMs = 120_000): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const mine = `${path}.${process.pid}.${(taken += 1)}`;
  await writeFile(mine, JSON.stringify({ pid: process.pid, started: await startTime(process.pid) }));
  try {
    const deadline = Date.now() + waitMs;
    // link() is atomic: the lock appears with its holder's name already in it.
    while (!(await tryLink(mine, path))) {
      const holder = await readHolder(path);
      if (holder === 'none') continue;
      if (await isDead(holder)) await removeDead(path, deadline - Date.now());
      else if (Date.now() > deadline) throw new Error(`Another drydock process (pid ${holder === 'unreadable' ? 'unknown' : holder.pid}) has held ${path} for ${waitMs / 1000} s.`);
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

/**
 * Two that see the same dead holder must not both remove its lock: the slower one would remove the faster one's. So it is removed under a lock of its own, and
 * only when it is still a dead one's: nobody else may remove it meanwhile.
 */
async function removeDead(path: string, waitMs: number): Promise<void> {
  await withLock(`${path}.takeover`, async () => {
    if (await isDead(await readHolder(path))) await rm(path, { force: true });
  }, waitMs);
}

type Holder = ProcessRecord | 'none' | 'unreadable';

/** A lock appears whole: one that cannot be read was cut when the machine went down. */
const isDead = async (holder: Holder): Promise<boolean> => holder === 'unreadable' || (holder !== 'none' && !(await isAlive(holder)));

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(path: string): Promise<Holder> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessRecord;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'none' : 'unreadable';
  }
}
