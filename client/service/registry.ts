import { mkdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../config/load.js';
import { Exit, EXIT } from '../exit.js';
import { clusterRegistry } from './paths.js';

const entryOf = (cluster: string): string => join(clusterRegistry(), `${cluster}.json`);

/**
 * Tells the embedded worker which file describes a cluster. Throws Exit 2 when another file that still names this cluster has the name already: its running
 * maintenance would go on with the other cluster's nodes.
 */
export async function registerCluster(cluster: string, config: string): Promise<void> {
  if ((await registeredConfig(cluster)) === config) return;
  const holder = await nameHolder(cluster, config);
  if (holder !== undefined) {
    throw new Exit(EXIT.usage, `The name ${cluster} is taken: ${holder} describes a cluster of that name, and so does ${config}.\nGive this cluster another name (\`cluster:\` in ${config}). If the other file is no longer meant, remove its registration: ${entryOf(cluster)}`);
  }
  await mkdir(clusterRegistry(), { recursive: true, mode: 0o700 });
  // The worker may read it at this very moment: it appears whole.
  const path = entryOf(cluster);
  await writeFile(`${path}.${process.pid}`, JSON.stringify({ config }), { mode: 0o600 });
  await rename(`${path}.${process.pid}`, path);
}

/** The other file that is registered under a name and still describes a cluster of that name; a missing or renamed one holds nothing. */
export async function nameHolder(cluster: string, config: string): Promise<string | undefined> {
  const other = await registeredConfig(cluster);
  if (other === undefined || other === config || (await sameFile(other, config))) return undefined;
  return (await describes(other, cluster)) ? other : undefined;
}

/** The file that is registered under a name, if any. */
export async function registeredConfig(cluster: string): Promise<string | undefined> {
  try {
    return (JSON.parse(await readFile(entryOf(cluster), 'utf8')) as { config: string }).config;
  } catch {
    return undefined;
  }
}

async function sameFile(one: string, other: string): Promise<boolean> {
  try {
    return (await realpath(one)) === (await realpath(other));
  } catch {
    return false;
  }
}

async function describes(file: string, cluster: string): Promise<boolean> {
  try {
    return (await loadConfig(file)).spec.cluster === cluster;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // A file with a mistake in it for the moment keeps its name.
    const text = await readFile(file, 'utf8').catch(() => '');
    return /^cluster:[ \t]*["']?([^"'#\s]+)/m.exec(text)?.[1] === cluster;
  }
}
