import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where drydock keeps what must outlive a command: database, pids, logs, the registry of clusters. DRYDOCK_STATE_DIR overrides. */
export function stateDir(env: NodeJS.ProcessEnv = process.env): string {
  return env['DRYDOCK_STATE_DIR'] ?? join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'drydock');
}

/** What can be fetched again. DRYDOCK_CACHE_DIR overrides. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  return env['DRYDOCK_CACHE_DIR'] ?? join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'drydock');
}

export const clusterRegistry = (): string => join(stateDir(), 'clusters');
