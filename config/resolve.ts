/** From the checked file to the cluster's description: paths made absolute, durations made seconds. */
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { ClusterSpec, SshSpec } from '../domain/cluster.js';
import { parseDuration } from './duration.js';
import type { ConfigFile } from './schema.js';

export interface TemporalSpec {
  readonly address: string;
  readonly namespace: string;
  /** Present: TLS. Files by absolute path. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly serverName?: string };
  /** File (absolute path) whose content is the API key. */
  readonly apiKeyFile?: string;
  /** Base address of its web UI, for links. */
  readonly webUi?: string;
}

/** `~` is the home directory; anything else relative is relative to the file that says it. */
export function absolute(path: string, file: string): string {
  if (path === '~' || path.startsWith('~/')) return resolve(homedir(), path.slice(2));
  return resolve(dirname(resolve(file)), path);
}

/** The file with absolute paths, still in the file's own shape: what `drydock config` shows. */
export function withAbsolutePaths(config: ConfigFile, file: string): ConfigFile {
  const at = <T extends object, K extends keyof T>(section: T, ...keys: readonly K[]): T => {
    const changed: Partial<Record<K, string>> = {};
    for (const key of keys) {
      const path: unknown = section[key];
      if (typeof path === 'string') changed[key] = absolute(path, file);
    }
    return { ...section, ...changed };
  };
  const { ssh, temporal } = config;
  return {
    ...at(config, 'kubeconfig'),
    ssh: { ...at(ssh, 'identity', 'knownHosts'), ...(ssh.bastion ? { bastion: at(ssh.bastion, 'identity') } : {}) },
    backup: at(config.backup, 'folder'),
    ...(temporal ? { temporal: { ...at(temporal, 'apiKeyFile'), ...(temporal.tls ? { tls: at(temporal.tls, 'ca', 'cert', 'key') } : {}) } } : {}),
  };
}

const seconds = (value: string | number): number => parseDuration(value) ?? 0;

/** Of a file with absolute paths. */
export function clusterSpec(config: ConfigFile): ClusterSpec {
  const { drain, ready, upgrade } = config;
  return compact({
    cluster: config.cluster,
    kubeconfig: config.kubeconfig,
    ssh: sshSpec(config.ssh),
    nodes: config.nodes.map(compact),
    packages: compact(config.packages),
    upgrade: compact({ ...upgrade, maxUnavailable: String(upgrade.maxUnavailable) }),
    drain: compact({
      timeoutSeconds: seconds(drain.timeout),
      maxGraceSeconds: drain.maxGrace === undefined ? undefined : seconds(drain.maxGrace),
      deleteEmptyDirData: drain.deleteEmptyDirData,
      evictUnmanaged: drain.evictUnmanaged,
    }),
    ready: { timeoutSeconds: seconds(ready.timeout), steadySeconds: seconds(ready.steady) },
    backup: config.backup,
    approvals: config.approvals,
  });
}

function sshSpec({ connectTimeout, keepAlive, bastion, ...ssh }: ConfigFile['ssh']): SshSpec {
  return compact({
    ...ssh,
    bastion: bastion ? compact({ ...bastion, user: bastion.user ?? ssh.user }) : undefined,
    connectTimeoutSeconds: seconds(connectTimeout),
    keepAliveSeconds: seconds(keepAlive),
  });
}

export const temporalSpec = (config: ConfigFile): TemporalSpec | undefined =>
  config.temporal && compact({ ...config.temporal, tls: config.temporal.tls && compact(config.temporal.tls) });

/** Without fields that are undefined: the description travels as JSON, and equal ones must look equal. */
function compact<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}
