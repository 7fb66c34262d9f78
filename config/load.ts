/** Finding and reading drydock.yaml. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ClusterSpec } from '../domain/cluster.js';
import { parseConfig } from './parse.js';
import { ConfigError } from './problem.js';
import { clusterSpec, type TemporalSpec, temporalSpec, withAbsolutePaths } from './resolve.js';
import type { ConfigFile } from './schema.js';

export { ConfigError, type Problem, problemText } from './problem.js';
export type { TemporalSpec } from './resolve.js';

export const CONFIG_NAME = 'drydock.yaml';

export interface DrydockConfig {
  /** Absolute path of the file. */
  readonly path: string;
  readonly spec: ClusterSpec;
  /** Absent: the embedded server. */
  readonly temporal?: TemporalSpec;
  /** The file's own shape with every default and absolute paths: for `drydock config`. */
  readonly effective: ConfigFile;
}

/** The file that counts: `--config`, else DRYDOCK_CONFIG, else drydock.yaml here. Whether it exists is told by loadConfig. */
export function findConfig(argument: string | undefined, env: Readonly<Record<string, string | undefined>>, cwd: string): string {
  const fromEnv = env['DRYDOCK_CONFIG'];
  return resolve(cwd, argument ?? (fromEnv === undefined || fromEnv === '' ? CONFIG_NAME : fromEnv));
}

/** Throws ConfigError with every problem of the file. */
export async function loadConfig(path: string): Promise<DrydockConfig> {
  const file = resolve(path);
  return configOf(await textOf(file), file, path);
}

/** The same from text; `shownAs` is the name in errors. */
export function configOf(text: string, file: string, shownAs = file): DrydockConfig {
  const effective = withAbsolutePaths(parseConfig(text, shownAs), file);
  const temporal = temporalSpec(effective);
  return { path: file, spec: clusterSpec(effective), ...(temporal ? { temporal } : {}), effective };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const found = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'a directory' : `no readable file (${code ?? String(error)})`;
    throw new ConfigError([{ file, path: '', found, wanted: `a configuration file: ${CONFIG_NAME} here, --config FILE or DRYDOCK_CONFIG (\`drydock init\` writes one)` }]);
  }
}
