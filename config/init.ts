/** The commented drydock.yaml that `drydock init` writes. Pure: discovery is the caller's. */
import { stringify } from 'yaml';
import type { Role } from '../domain/cluster.js';
import { inWorkOrder } from '../domain/order.js';

export interface DiscoveredNode {
  readonly name: string;
  /** Address or host name for SSH. */
  readonly address: string;
  readonly role: Role;
}

export interface InitOptions {
  readonly cluster: string;
  readonly nodes: readonly DiscoveredNode[];
  /** As it shall stand in the file. Absent: read by SSH. */
  readonly kubeconfig?: string;
  readonly user?: string;
  readonly port?: number;
  readonly identity?: string;
  readonly agent?: boolean;
  readonly knownHosts?: string;
  readonly repository?: string;
  /** Where editors find the JSON Schema. */
  readonly schema?: string;
}

/** YAML's own quoting for one value. */
const value = (text: string): string => stringify(text, { lineWidth: 0 }).trimEnd();

/** `key: value`, or the same as a comment when nothing was said: the reader sees what there is to set. */
const line = (key: string, given: string | undefined, example: string, why: string): string =>
  (given === undefined ? `# ${key}: ${example}` : `${key}: ${value(given)}`).padEnd(44) + (why === '' ? '' : ` # ${why}`);

export function initialConfig(options: InitOptions): string {
  const { cluster, kubeconfig, user = 'root', port = 22, identity, agent = false, knownHosts, repository, schema } = options;
  const nodes = inWorkOrder(options.nodes, []).map(({ name, address, role }) => `  - { name: ${value(name)}, host: ${value(address)}, role: ${role} }`);
  return [
    ...(schema === undefined ? [] : [`# yaml-language-server: $schema=${schema}`]),
    '# Every field and default: docs/configuration.md. What is in force: `drydock config`.',
    `cluster: ${value(cluster)}`,
    line('kubeconfig', kubeconfig, './kubeconfig', 'absent: admin.conf is read by SSH'),
    '',
    'ssh:',
    `  user: ${value(user)}`,
    `  port: ${port}`,
    `  ${line('identity', identity, '~/.ssh/id_ed25519', 'private key without passphrase, or:')}`,
    `  agent: ${agent}`,
    `  ${line('knownHosts', knownHosts, '~/.ssh/known_hosts', 'every host key is verified against it')}`,
    '',
    'nodes:',
    ...nodes,
    '',
    ...packages(repository),
    '',
    'upgrade:',
    '  workers: rolling',
    '  maxUnavailable: 1'.padEnd(46) + ' # a count, or a share such as 20%',
    '',
    'drain:',
    '  timeout: 20m'.padEnd(46) + ' # then the node stops and asks; never forced',
    '  deleteEmptyDirData: false'.padEnd(46) + ' # true: pods lose their emptyDir data',
    '  evictUnmanaged: false'.padEnd(46) + ' # true: pods without controller are gone for good',
    '',
    'backup:',
    '  folder: ./backups'.padEnd(46) + ' # etcd snapshots, on the worker\'s machine',
    '',
  ].join('\n');
}

/** The official repository is the default; a mirror is what people come here for. */
const packages = (repository: string | undefined): readonly string[] =>
  repository === undefined
    ? ['# packages:                                   # a mirror, for sites without internet', '#   repository: https://mirror.example.com/core:/stable:/v{minor}/deb/']
    : ['packages:', `  repository: ${value(repository)}`];
