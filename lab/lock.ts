import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath } from './paths.js';
import { isAlive, self, type ProcessId } from './processes.js';
import type { Progress } from './progress.js';
import { LabError } from './error.js';
import { sleep } from './wait.js';

/** Who holds a lock: undefined when the holder has died, or made the folder and never came to write its name. */
async function holder(folder: string): Promise<ProcessId | 'unnamed' | undefined> {
  try {
    const id = JSON.parse(await readFile(join(folder, 'holder.json'), 'utf8')) as ProcessId;
    return (await isAlive(id)) ? id : undefined;
  } catch {
    const made = await stat(folder).catch(() => undefined);
    return made && Date.now() - made.mtimeMs > 5000 ? undefined : 'unnamed';
  }
}

/** Runs `work` while no other process (and no other call in this one) holds the lock of this name. */
export async function withLock<T>(name: string, progress: Progress, work: () => Promise<T>, timeoutSeconds = 3600): Promise<T> {
  const folder = cachePath('locks', name.replaceAll('/', '_'));
  await mkdir(cachePath('locks'), { recursive: true });
  const end = Date.now() + timeoutSeconds * 1000;
  let said = false;
  for (;;) {
    // mkdir is the one call that both tests and takes.
    if (await mkdir(folder).then(() => true, () => false)) break;
    const other = await holder(folder);
    if (other === undefined) {
      await rm(folder, { recursive: true, force: true });
      continue;
    }
    if (!said && other !== 'unnamed') progress.say(`${name}: waiting, process ${other.pid} is at it`);
    said = true;
    if (Date.now() > end) throw new LabError(`${name}: still locked after ${timeoutSeconds} s`, `See which process holds it: ${folder}/holder.json`);
    await sleep(200);
  }
  try {
    await writeFile(join(folder, 'holder.json'), JSON.stringify(await self()));
    return await work();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
