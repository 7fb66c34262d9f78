import { hostname, userInfo } from 'node:os';
import type { Client } from '@temporalio/client';
import type { DrydockConfig } from '../config/load.js';
import { Exit, EXIT } from './exit.js';

/** Options that every command has. */
export interface Common {
  readonly config?: string;
  readonly json?: boolean;
}

/** What a command needs to speak with the maintenance of one cluster. */
export interface Context {
  readonly config: DrydockConfig;
  readonly cluster: string;
  readonly client: Client;
  readonly webUi: string | undefined;
  /** Starts again what has died of the embedded Temporal; nothing where a lasting one is configured. */
  readonly revive: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export { say } from './say.js';

/** Reads and checks the configuration file. Throws Exit 2 with every problem. */
export async function readConfig(common: Common): Promise<DrydockConfig> {
  const { ConfigError, findConfig, loadConfig } = await import('../config/load.js');
  try {
    return await loadConfig(findConfig(common.config, process.env, process.cwd()));
  } catch (error) {
    if (error instanceof ConfigError) throw new Exit(EXIT.usage, error.message);
    throw error;
  }
}

/** Configuration, Temporal (started when embedded) and a client. */
export async function openContext(common: Common): Promise<Context> {
  const config = await readConfig(common);
  const { connectTemporal } = await import('./temporal.js');
  const temporal = await connectTemporal(config);
  return { config, cluster: config.spec.cluster, ...temporal };
}

/** Who is speaking, for the record. */
export function whoAmI(): string {
  return process.env['DRYDOCK_USER'] ?? `${userInfo().username}@${hostname()}`;
}
