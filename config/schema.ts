/**
 * The configuration file's schema: the one source of its defaults, its errors and its published JSON Schema.
 *
 * The message of each rule says what is wanted; what was found and where is added by parse.ts. Nothing is transformed here, so that
 * the parsed value is the file with its defaults filled in.
 */
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { DURATION, parseDuration } from './duration.js';

const text = (wanted: string): z.ZodString => z.string(wanted).min(1, wanted);
const flag = z.boolean('true or false');
const pathOf = (what: string) => text(`the path of ${what}`).meta({ description: `${what[0]?.toUpperCase()}${what.slice(1)}. Relative to this file; ~ is the home directory.` });

const PORT = 'a port from 1 to 65535';
const port = z.int(PORT).min(1, PORT).max(65535, PORT);

const NAME = 'a Kubernetes node name (small letters, digits, - and .)';
const nodeName = z.string(NAME).regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, NAME).max(253, NAME);

const CLUSTER = 'a cluster name of small letters, digits and -, at most 63 long';
const HOST = 'an IP address or a host name, without user and port';
/** The pattern keeps out blanks, `user@` and `:port`; numbers with dots must be an IPv4 address. */
const host = z
  .string(HOST)
  .regex(/^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[\w.-]+)?)$/, HOST)
  .refine((value) => !/^[\d.]+$/.test(value) || isIPv4(value), HOST);

const USER = 'a user name';
const user = z.string(USER).regex(/^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*$/, USER);

/** A duration of at least one second, or at least none. */
function duration(least: 0 | 1, description: string) {
  const wanted = `a duration such as 15m, 90s or a number of seconds${least === 0 ? '' : ', at least 1s'}`;
  const fits = (value: string | number): boolean => (parseDuration(value) ?? -1) >= least;
  return z.union([z.string().regex(DURATION, wanted), z.number().min(least, wanted)], wanted).refine(fits, wanted).meta({ description });
}

const COUNT = 'a count of at least 1';
const SHARE = 'a count of at least 1, or a share from 1% to 100%';
const maxUnavailable = z.union([z.int(SHARE).min(1, SHARE), z.string().regex(/^([1-9]\d*|([1-9]\d?|100)%)$/, SHARE)], SHARE);

const bastion = z.strictObject({
  host,
  port: port.default(22),
  user: user.optional().meta({ description: 'Absent: ssh.user.' }),
  identity: pathOf('the private key file for the bastion').optional(),
}, 'a section with host, port, user, identity');

const ssh = z.strictObject({
  user: user.default('root').meta({ description: 'User on every node; a node may name its own.' }),
  port: port.default(22),
  identity: pathOf('the private key file, without passphrase').optional(),
  agent: flag.default(false).meta({ description: 'Use the SSH agent at SSH_AUTH_SOCK of the worker.' }),
  knownHosts: pathOf('the known_hosts file; every host key is verified against it').default('~/.ssh/known_hosts'),
  bastion: bastion.optional().meta({ description: 'Reach the nodes through this machine.' }),
  sudo: z.enum(['auto', 'always', 'never'], 'auto, always or never').default('auto').meta({ description: 'auto: sudo when the user is not root.' }),
  connectTimeout: duration(1, 'How long one connection attempt may take.').default('10s'),
  keepAlive: duration(1, 'How often a silent connection is probed.').default('5s'),
}, 'a section with user, port, identity and so on');

const node = z.strictObject({
  name: nodeName.meta({ description: 'The node\'s name in Kubernetes.' }),
  host: host.meta({ description: 'Address or host name for SSH.' }),
  port: port.optional(),
  user: user.optional(),
  role: z.enum(['control-plane', 'worker'], 'control-plane or worker'),
  labels: z.record(z.string(), z.string('text (in quotes)'), 'a section of name: text').default({}).meta({ description: 'Labels for groups and rules.' }),
}, 'a node with name, host and role');

const REVISION = 'a package revision in quotes, such as "1.1"';
const PROXY = 'a proxy such as http://proxy:3128, without user and password: everybody on a node could read them here. Put them into /etc/apt/auth.conf.d or apt.conf on the nodes';
const REPOSITORY = 'a URL with {minor} in it, such as https://mirror.example.com/v{minor}/deb/';
const packages = z.strictObject({
  repository: z.string(REPOSITORY).regex(/^(https?:\/\/|file:\/)[^\s"'[\]|]*\{minor\}[^\s"'[\]|]*$/, REPOSITORY).default('https://pkgs.k8s.io/core:/stable:/v{minor}/deb/')
    .meta({ description: 'Base of a minor\'s package repository; {minor} stands for e.g. 1.37.' }),
  revision: z.string(REVISION).regex(/^[A-Za-z0-9.+~]+$/, REVISION).optional().meta({ description: 'Package revision to insist on. Absent: the newest of the version.' }),
  proxy: z.string(PROXY).regex(/^https?:\/\/[^\s"'@]+$/, PROXY).optional().meta({ description: 'HTTP proxy for apt.' }),
}, 'a section with repository, revision, proxy');

const CHECK_NAME = 'the name of a kubeadm preflight check, such as SystemVerification';
const upgrade = z.strictObject({
  workers: z.enum(['rolling', 'all-at-once'], 'rolling or all-at-once').default('rolling').meta({ description: 'rolling: drained, a few at a time. all-at-once: a downtime window.' }),
  maxUnavailable: maxUnavailable.default('1').meta({ description: 'Workers that may be away at once: a count or a share of them.' }),
  maxParallel: z.int(COUNT).min(1, COUNT).default(10).meta({ description: 'Cap of nodes in parallel for all-at-once.' }),
  order: z.array(nodeName, 'a list of node names').default([]).meta({ description: 'Nodes that go first, in this order, within their role.' }),
  ignorePreflightErrors: z.array(z.string(CHECK_NAME).regex(/^[A-Za-z][A-Za-z0-9._-]*$/, CHECK_NAME), 'a list of check names').default([])
    .meta({ description: 'kubeadm preflight checks to ignore, as kubeadm spells them.' }),
  patches: z.string('an absolute directory').regex(/^\/\S*$/, 'an absolute directory on the control-plane nodes').optional().meta({ description: 'Directory on the control-plane nodes with kubeadm patches.' }),
  drainAllAtOnce: flag.default(false).meta({ description: 'Drain in all-at-once as well.' }),
}, 'a section with workers, maxUnavailable and so on');

const drain = z.strictObject({
  timeout: duration(1, 'After this long with blockers the node stops and asks. Never forced.').default('20m'),
  maxGrace: duration(1, 'Ceiling for the pods\' own grace period; a pod that is cut short is reported. Absent: none.').optional(),
  deleteEmptyDirData: flag.default(false).meta({ description: 'Evict pods with emptyDir volumes, whose data is lost.' }),
  evictUnmanaged: flag.default(false).meta({ description: 'Evict pods without a controller, which do not come back.' }),
}, 'a section with timeout, maxGrace and so on');

const ready = z.strictObject({
  timeout: duration(1, 'From the kubelet\'s restart to Ready at the new version.').default('10m'),
  steady: duration(0, 'Ready must have held this long.').default('30s'),
}, 'a section with timeout, steady');

const backup = z.strictObject({
  folder: pathOf('the folder for snapshots, on the worker\'s machine').default('./backups'),
}, 'a section with folder');

const approvals = z.strictObject({
  upgrade: flag.default(false).meta({ description: 'Wait for `drydock approve` with the plan\'s digest before anything is changed.' }),
}, 'a section with upgrade');

const ADDRESS = 'an address with port, such as temporal.example.com:7233';
const WEB_UI = 'a web address such as https://temporal.example.com';
const temporal = z.strictObject({
  address: z.string(ADDRESS).regex(/^[^\s/]+:\d{1,5}$/, ADDRESS),
  namespace: text('a namespace').default('default'),
  tls: z.strictObject({
    ca: pathOf('the CA certificate').optional(),
    cert: pathOf('the client certificate').optional(),
    key: pathOf('the client key').optional(),
    serverName: text('a server name').optional(),
  }, 'a section with ca, cert, key, serverName').optional().meta({ description: 'Present: connect with TLS. Empty ({}) uses the system\'s CAs.' }),
  apiKeyFile: pathOf('a file with the API key').optional(),
  webUi: z.string(WEB_UI).regex(/^https?:\/\/\S+$/, WEB_UI).optional().meta({ description: 'Address of its web UI, for links.' }),
}, 'a section with address, namespace and so on');

export const configSchema = z.strictObject({
  cluster: z.string(CLUSTER).regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, CLUSTER).max(63, CLUSTER).meta({ description: 'The cluster\'s name: in workflow ids, backups and reports.' }),
  kubeconfig: pathOf('the kubeconfig file').optional().meta({ description: 'Kubeconfig file. Absent: admin.conf is read by SSH from a control-plane node. Relative to this file; ~ is the home directory.' }),
  ssh: ssh.prefault({}).meta({ description: 'How the nodes are reached.' }),
  nodes: z.array(node, 'a list of nodes').min(1, 'at least one node').meta({ description: 'Every node of the cluster.' }),
  packages: packages.prefault({}).meta({ description: 'Where kubeadm, kubelet and kubectl come from.' }),
  upgrade: upgrade.prefault({}),
  drain: drain.prefault({}),
  ready: ready.prefault({}).meta({ description: 'When a node counts as back.' }),
  backup: backup.prefault({}),
  approvals: approvals.prefault({}),
  temporal: temporal.optional().meta({ description: 'The Temporal server. Absent: drydock runs one of its own on this machine.' }),
}, 'a mapping with cluster and nodes');

/** The file with every default filled in. */
export type ConfigFile = z.output<typeof configSchema>;
