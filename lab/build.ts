import { needDocker } from './host.js';
import { publishImages } from './images.js';
import { nodeImage } from './node-image.js';
import { publishPackages } from './packages.js';
import type { Progress } from './progress.js';
import { sources } from './sources.js';

/** Everything that clusters of these versions, and upgrades between them, need: in the cache, built once. */
export async function build(versions: string[], progress: Progress): Promise<void> {
  await needDocker(progress);
  progress.say(`sources: ${(await sources()) === 'official' ? 'official packages and images' : 'built here from Go modules, for the official hosts do not all answer'}`);
  await nodeImage(progress);
  for (const version of new Set(versions)) {
    await publishPackages(version, progress);
    await publishImages(version, progress);
  }
}
