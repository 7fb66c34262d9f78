import { access, mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withLock } from './lock.js';
import { cachePath } from './paths.js';
import type { Progress } from './progress.js';

export const exists = (path: string): Promise<boolean> => access(path).then(() => true, () => false);

/**
 * A folder in the cache that is there whole or not at all: built under a temporary name, then renamed.
 * Two commands that want the same one at once build it once. Returns its path.
 */
export async function artefact(
  name: string,
  progress: Progress,
  title: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const path = cachePath(name);
  if (await exists(path)) return path;
  return withLock(name, progress, async () => {
    if (await exists(path)) return path;
    const temporary = `${path}.tmp`; // the lock is ours, so what lies there is of someone who died
    await rm(temporary, { recursive: true, force: true });
    await mkdir(dirname(path), { recursive: true });
    await mkdir(temporary);
    await progress.step(title, () => build(temporary));
    await rename(temporary, path);
    return path;
  });
}
