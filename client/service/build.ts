import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stateDir } from './paths.js';
import { readJson } from './processes.js';

/** What is built here: one hash over all that a worker runs, one over the workflows alone (scripts/build.sh makes both). */
export interface Build {
  readonly build: string;
  readonly bundle: string;
}

const BUNDLE = fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url));
const BUILD_ID = fileURLToPath(new URL('../../.build-id', import.meta.url));

const bundles = (): string => join(stateDir(), 'bundles');
export const keptBundle = (bundle: string): string => join(bundles(), `${bundle}.js`);

export async function installedBuild(): Promise<Build> {
  const built = await readJson<Build>(BUILD_ID);
  if (built) return built;
  const bundle = hashOf(await readFile(BUNDLE));
  return { build: bundle, bundle };
}

/** Keeps the built workflows in the state directory, and their hash: a maintenance goes on with the ones it began with, whatever is built meanwhile. */
export async function keepInstalledBundle(): Promise<string> {
  const code = await readFile(BUNDLE);
  // Not from the id: a build may be under way.
  const bundle = hashOf(code);
  await mkdir(bundles(), { recursive: true, mode: 0o700 });
  await writeFile(`${keptBundle(bundle)}.new`, code, { mode: 0o600 });
  await rename(`${keptBundle(bundle)}.new`, keptBundle(bundle));
  return bundle;
}

/** Removes the kept workflows that nothing needs any more. */
export async function removeOtherBundles(bundle: string): Promise<void> {
  for (const name of await readdir(bundles())) if (name !== `${bundle}.js`) await rm(join(bundles(), name), { force: true });
}

const hashOf = (code: Uint8Array): string => createHash('sha256').update(code).digest('hex').slice(0, 16);
