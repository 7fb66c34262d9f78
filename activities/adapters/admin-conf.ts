import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { StepFailure } from '../failure.js';

/** What drydock takes from a node's admin.conf. */
export interface AdminAccess {
  /** As a socket wants it: an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tlsServerName: string;
  readonly caData: string;
  readonly certData?: string;
  readonly keyData?: string;
  readonly token?: string;
}

type Entry = Readonly<Record<string, unknown>>;
/** Each would make the worker run a program, open a file of its own machine, talk to somebody else or believe anybody. */
const REFUSED = [
  'exec', 'auth-provider', 'proxy-url', 'insecure-skip-tls-verify', 'certificate-authority', 'client-certificate', 'client-key', 'tokenFile', 'token-file', 'username', 'password', 'as', 'as-groups', 'as-uid', 'as-user-extra',
];

/**
 * admin.conf comes from a node, which may be anybody's by now: the library that reads kubeconfigs starts programs and reads files that one names. Only
 * certificates, keys and tokens that are written in the file itself are taken. Throws StepFailure KubeconfigInvalid.
 */
export function readAdminConf(text: string, where: string): AdminAccess {
  const invalid = (why: string): StepFailure => new StepFailure('KubeconfigInvalid', `${where} ${why}.`);
  const file = parsed(text, invalid);
  const context = named(file['contexts'], file['current-context'], 'context');
  const cluster = named(file['clusters'], context?.['cluster'], 'cluster');
  const user = named(file['users'], context?.['user'], 'user');
  if (!cluster || !user) throw invalid('names no cluster and user as its current context');
  for (const [what, entry] of [['cluster', cluster], ['user', user]] as const) {
    const refused = REFUSED.find((key) => entry[key] !== undefined && entry[key] !== null && entry[key] !== false);
    if (refused) throw invalid(`has ${refused} for its ${what}, which is not taken from a node; kubeadm writes none. Give a kubeconfig of your own in drydock.yaml`);
  }
  const server = serverOf(cluster['server']);
  if (!server) throw invalid('names no https address of an API server');
  const caData = textOf(cluster['certificate-authority-data']);
  if (caData === undefined) throw invalid('has no certificate-authority-data');
  const host = server.hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: Number(server.port || 443),
    tlsServerName: textOf(cluster['tls-server-name']) ?? host,
    caData,
    ...optional('certData', textOf(user['client-certificate-data'])),
    ...optional('keyData', textOf(user['client-key-data'])),
    ...optional('token', textOf(user['token'])),
  };
}

/** The same access through a port of this machine; the server's name is still checked against its certificate. */
export function throughPort({ tlsServerName, caData, certData, keyData, token }: AdminAccess, localPort: number): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'cluster', server: `https://127.0.0.1:${localPort}`, caData, tlsServerName, skipTLSVerify: false },
    { name: 'user', ...optional('certData', certData), ...optional('keyData', keyData), ...optional('token', token) },
  );
  return config;
}

function parsed(text: string, invalid: (why: string) => StepFailure): Entry {
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    // The parser's words quote the file, which holds a key.
    throw invalid('is no kubeconfig: it is not YAML');
  }
  if (!isEntry(value)) throw invalid('is no kubeconfig');
  return value;
}

function named(list: unknown, name: unknown, key: string): Entry | undefined {
  if (!Array.isArray(list) || typeof name !== 'string') return undefined;
  const entry: unknown = list.find((candidate: unknown) => isEntry(candidate) && candidate['name'] === name);
  const value = isEntry(entry) ? entry[key] : undefined;
  return isEntry(value) ? value : undefined;
}

function serverOf(value: unknown): URL | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  return url.protocol === 'https:' && url.username === '' && url.password === '' ? url : undefined;
}

const isEntry = (value: unknown): value is Entry => typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const optional = <K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> => (value === undefined ? {} : ({ [key]: value } as Partial<Record<K, string>>));
