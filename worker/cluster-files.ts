import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StepFailure } from '../activities/failure.js';
import type { ClusterDirectory } from '../activities/ports/cluster-directory.js';
import { ConfigError, loadConfig } from '../config/load.js';
import type { ClusterSpec } from '../domain/cluster.js';

/**
 * The clusters of this worker: the configuration files it was started with, and, for the embedded worker, the ones that the command line registered.
 * A file is read again when it changed, so that a repaired setting counts at the next retry.
 */
export class FileClusterDirectory implements ClusterDirectory {
  private readonly cache = new Map<string, { stamp: string; spec: ClusterSpec }>();

  constructor(private readonly files: readonly string[], private readonly registry: string | undefined) {}

  async spec(cluster: string): Promise<ClusterSpec> {
    const paths = [...this.files, ...(await this.registered(cluster))];
    const seen: string[] = [];
    for (const path of paths) {
      const spec = await this.load(path);
      if (spec.cluster === cluster) return spec;
      seen.push(spec.cluster);
    }
    throw new StepFailure('ClusterUnknown', `This worker has no configuration of cluster ${JSON.stringify(cluster)}${seen.length > 0 ? `; it has ${seen.join(', ')}` : ''}.`);
  }

  private async registered(cluster: string): Promise<string[]> {
    if (!this.registry || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(cluster)) return [];
    try {
      const { config } = JSON.parse(await readFile(join(this.registry, `${cluster}.json`), 'utf8')) as { config: string };
      return [config];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  private async load(path: string): Promise<ClusterSpec> {
    try {
      const { mtimeMs, size } = await stat(path);
      const stamp = `${mtimeMs}:${size}`;
      const cached = this.cache.get(path);
      if (cached?.stamp === stamp) return cached.spec;
      const { spec } = await loadConfig(path);
      this.cache.set(path, { stamp, spec });
      return spec;
    } catch (error) {
      if (error instanceof ConfigError) throw new StepFailure('ConfigInvalid', error.message);
      throw new StepFailure('ConfigInvalid', `${path} cannot be read: ${(error as Error).message}`);
    }
  }
}
