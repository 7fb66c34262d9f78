import { homedir } from 'node:os';
import { join } from 'node:path';

const root = (): string =>
  process.env['DRYDOCK_LAB_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'drydock', 'lab');

/** A path in the cache that all clusters of this machine share. */
export const cachePath = (...parts: string[]): string => join(root(), ...parts);

/** The one port of the package and image server, on loopback and on each lab network's gateway. */
export const serverPort = (): number => Number(process.env['DRYDOCK_LAB_PORT'] ?? 8077);
