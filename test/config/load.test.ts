import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, configOf, findConfig, loadConfig } from '../../config/load.js';
import { renderConfig } from '../../config/render.js';

/** The errors of a text, one a line, without the file's name. */
function errorsOf(text: string): readonly string[] {
  try {
    configOf(text, '/etc/drydock/drydock.yaml', 'f');
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').map((line) => line.replace(/^f:/, ''));
    throw error;
  }
  return [];
}

const NODES = 'nodes: [{name: cp1, host: 10.0.0.1, role: control-plane}]\n';
const GOOD = `cluster: demo\n${NODES}`;
const DURATION = 'a duration such as 15m, 90s or a number of seconds';
const HOST = 'an IP address or a host name, without user and port';

/** What is added to a good file (or a whole file), and the exact errors. */
const BAD: readonly (readonly [given: string, text: string, ...errors: string[]])[] = [
  ['an empty file', '', '1:1: found nothing, wanted a mapping with cluster and nodes'],
  ['only a comment', '# nothing\n', '1:1: found nothing, wanted a mapping with cluster and nodes'],
  ['a list', '- a\n', '1:1: found a list, wanted a mapping with cluster and nodes'],
  ['a word', 'hello', '1:1: found "hello", wanted a mapping with cluster and nodes'],
  ['broken YAML', 'cluster: "demo\nnodes: []\n', '3:1: found invalid YAML (Missing closing "quote), wanted valid YAML'],
  ['a tab for indentation', 'cluster: demo\nssh:\n\tuser: x\n', '3:1: found invalid YAML (Tabs are not allowed as indentation), wanted valid YAML'],
  ['a field twice', `${GOOD}cluster: other\n`, '3:1: found invalid YAML (Map keys must be unique), wanted valid YAML'],
  ['two documents', `${GOOD}---\n${GOOD}`, '3:1: found invalid YAML (Source contains multiple documents), wanted valid YAML'],
  ['nothing but a name', 'cluster: demo\n', '1:1: nodes: found nothing, wanted a list of nodes'],
  ['no cluster', NODES, '1:1: cluster: found nothing, wanted a cluster name of small letters, digits and -, at most 63 long'],
  ['a cluster name with capitals', `cluster: Demo\n${NODES}`, '1:10: cluster: found "Demo", wanted a cluster name of small letters, digits and -, at most 63 long'],
  ['a cluster name with a slash', `cluster: a/b\n${NODES}`, '1:10: cluster: found "a/b", wanted a cluster name of small letters, digits and -, at most 63 long'],
  ['a cluster name that ends in a dash', `cluster: a-\n${NODES}`, '1:10: cluster: found "a-", wanted a cluster name of small letters, digits and -, at most 63 long'],
  ['a cluster name of 64', `cluster: ${'a'.repeat(64)}\n${NODES}`, `1:10: cluster: found "${'a'.repeat(56)}…", wanted a cluster name of small letters, digits and -, at most 63 long`],
  ['a mistyped field', `${GOOD}kubeconfg: ./x\n`, '3:1: kubeconfg: found the unknown field "kubeconfg", wanted "kubeconfig"?'],
  ['a field in another spelling', `${GOOD}ssh:\n  known_hosts: ./x\n`, '4:3: ssh.known_hosts: found the unknown field "known_hosts", wanted "knownHosts"?'],
  ['a field of nothing like any', `${GOOD}ready:\n  colour: red\n`, '4:3: ready.colour: found the unknown field "colour", wanted one of timeout, steady'],
  ['a mistyped field of a node', 'cluster: demo\nnodes:\n  - name: cp1\n    hots: a\n    role: control-plane\n', '3:5: nodes[0].host: found nothing, wanted an IP address or a host name, without user and port', '4:5: nodes[0].hots: found the unknown field "hots", wanted "host"?'],
  ['a section that is a word', `${GOOD}ssh: root\n`, '3:6: ssh: found "root", wanted a section with user, port, identity and so on'],
  ['a section with nothing in it', `${GOOD}upgrade:\n`, '3:9: upgrade: found nothing, wanted a section with workers, maxUnavailable and so on'],
  ['a node that is a word', 'cluster: demo\nnodes:\n  - cp1\n', '3:5: nodes[0]: found "cp1", wanted a node with name, host and role'],
  ['no nodes', 'cluster: demo\nnodes: []\n', '2:8: nodes: found a list, wanted at least one node'],
  ['only workers', 'cluster: demo\nnodes: [{name: w1, host: a, role: worker}]\n', '2:8: nodes: found only workers, wanted at least one node with role control-plane'],
  ['a role of old', 'cluster: demo\nnodes: [{name: cp1, host: a, role: master}]\n', '2:36: nodes[0].role: found "master", wanted control-plane or worker'],
  ['a host with user', 'cluster: demo\nnodes: [{name: cp1, host: root@a, role: control-plane}]\n', `2:27: nodes[0].host: found "root@a", wanted ${HOST}`],
  ['a host with port', 'cluster: demo\nnodes: [{name: cp1, host: "a:22", role: control-plane}]\n', `2:27: nodes[0].host: found "a:22", wanted ${HOST}`],
  ['an address out of range', 'cluster: demo\nnodes: [{name: cp1, host: 10.0.0.256, role: control-plane}]\n', `2:27: nodes[0].host: found "10.0.0.256", wanted ${HOST}`],
  ['a host that looks like an option', 'cluster: demo\nnodes: [{name: cp1, host: -oProxyCommand=x, role: control-plane}]\n', `2:27: nodes[0].host: found "-oProxyCommand=x", wanted ${HOST}`],
  ['a node name with capitals', 'cluster: demo\nnodes: [{name: CP1, host: a, role: control-plane}]\n', '2:16: nodes[0].name: found "CP1", wanted a Kubernetes node name (small letters, digits, - and .)'],
  ['two nodes of one name', 'cluster: demo\nnodes:\n  - {name: cp1, host: a, role: control-plane}\n  - {name: cp1, host: b, role: worker}\n', '4:12: nodes[1].name: found "cp1" a second time, wanted a name of its own (nodes[0] has this one)'],
  ['two nodes on one machine', 'cluster: demo\nnodes:\n  - {name: cp1, host: a, role: control-plane}\n  - {name: w1, host: a, role: worker}\n', '4:22: nodes[1].host: found a port 22 a second time, wanted a machine of its own (nodes[0] has this one)'],
  ['a label that is a number', 'cluster: demo\nnodes: [{name: cp1, host: a, role: control-plane, labels: {rack: 7}}]\n', '2:66: nodes[0].labels.rack: found 7, wanted text (in quotes)'],
  ['a port out of range', `${GOOD}ssh: {port: 65536}\n`, '3:13: ssh.port: found 65536, wanted a port from 1 to 65535'],
  ['a port in quotes', `${GOOD}ssh: {port: "22"}\n`, '3:13: ssh.port: found "22", wanted a port from 1 to 65535'],
  ['a switch in words', `${GOOD}ssh: {agent: yes}\n`, '3:14: ssh.agent: found "yes", wanted true or false'],
  ['sudo in words', `${GOOD}ssh: {sudo: maybe}\n`, '3:13: ssh.sudo: found "maybe", wanted auto, always or never'],
  ['a negative time', `${GOOD}ssh: {connectTimeout: -1}\n`, `3:23: ssh.connectTimeout: found -1, wanted ${DURATION}, at least 1s`],
  ['a time of nothing', `${GOOD}drain: {timeout: 0s}\n`, `3:18: drain.timeout: found "0s", wanted ${DURATION}, at least 1s`],
  ['a time in days', `${GOOD}drain: {timeout: 1d}\n`, `3:18: drain.timeout: found "1d", wanted ${DURATION}, at least 1s`],
  ['a negative time where none would do', `${GOOD}ready: {steady: -1s}\n`, `3:17: ready.steady: found "-1s", wanted ${DURATION}`],
  ['no worker may be away', `${GOOD}upgrade: {maxUnavailable: 0}\n`, '3:27: upgrade.maxUnavailable: found 0, wanted a count of at least 1, or a share from 1% to 100%'],
  ['more than all may be away', `${GOOD}upgrade: {maxUnavailable: 101%}\n`, '3:27: upgrade.maxUnavailable: found "101%", wanted a count of at least 1, or a share from 1% to 100%'],
  ['half a worker', `${GOOD}upgrade: {maxUnavailable: 0.5}\n`, '3:27: upgrade.maxUnavailable: found 0.5, wanted a count of at least 1, or a share from 1% to 100%'],
  ['a strategy of nobody', `${GOOD}upgrade: {workers: fast}\n`, '3:20: upgrade.workers: found "fast", wanted rolling or all-at-once'],
  ['an order with a stranger', `${GOOD}upgrade: {order: [cp1, w9]}\n`, '3:24: upgrade.order[1]: found "w9", wanted the name of a node (cp1)'],
  ['an order with one twice', `${GOOD}upgrade: {order: [cp1, cp1]}\n`, '3:24: upgrade.order[1]: found "cp1" a second time, wanted each node once'],
  ['a check name with blanks', `${GOOD}upgrade: {ignorePreflightErrors: ["a b"]}\n`, '3:35: upgrade.ignorePreflightErrors[0]: found "a b", wanted the name of a kubeadm preflight check, such as SystemVerification'],
  ['relative patches', `${GOOD}upgrade: {patches: ./p}\n`, '3:20: upgrade.patches: found "./p", wanted an absolute directory on the control-plane nodes'],
  ['a revision that YAML takes for a number', `${GOOD}packages: {revision: 1.1}\n`, '3:22: packages.revision: found 1.1, wanted a package revision in quotes, such as "1.1"'],
  ['a repository that is no URL', `${GOOD}packages: {repository: pkgs.k8s.io}\n`, '3:24: packages.repository: found "pkgs.k8s.io", wanted a URL with {minor} in it, such as https://mirror.example.com/v{minor}/deb/'],
  ['a proxy with a password, which is not repeated', `${GOOD}packages: {proxy: "http://me:hunter2@proxy:3128"}\n`, '3:19: packages.proxy: found "http://…@proxy:3128", wanted a proxy such as http://proxy:3128, without user and password: everybody on a node could read them here. Put them into /etc/apt/auth.conf.d or apt.conf on the nodes'],
  ['a repository of one minor for ever', `${GOOD}packages: {repository: "https://pkgs.k8s.io/core:/stable:/v1.36/deb/"}\n`, '3:24: packages.repository: found "https://pkgs.k8s.io/core:/stable:/v1.36/deb/", wanted a URL with {minor} in it, such as https://mirror.example.com/v{minor}/deb/'],
  ['an empty path', `${GOOD}kubeconfig: ""\n`, '3:13: kubeconfig: found "", wanted the path of the kubeconfig file'],
  ['Temporal without port', `${GOOD}temporal: {address: temporal.example.com}\n`, '3:21: temporal.address: found "temporal.example.com", wanted an address with port, such as temporal.example.com:7233'],
  ['a certificate without key', `${GOOD}temporal: {address: "a:7233", tls: {cert: ./c}}\n`, '3:43: temporal.tls.cert: found cert without key, wanted both or neither'],
];

describe('a bad drydock.yaml', () => {
  for (const [given, text, ...errors] of BAD) {
    it(given, () => assert.deepEqual(errorsOf(text), errors));
  }

  it('shows all that is wrong, from top to bottom', () => {
    const text = 'cluster: D\nssh:\n  prt: 22\nnodes:\n  - {name: cp1, host: a b, role: control-plane}\n  - {name: cp1, host: b, role: slave}\ndrain:\n  timeout: soon\n';
    assert.deepEqual(errorsOf(text).map((line) => line.split(': ')[0]), ['1:10', '3:3', '5:23', '6:12', '6:32', '8:12']);
  });

  it('names its file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'drydock-'));
    const path = join(folder, 'drydock.yaml');
    await writeFile(path, 'cluster: X\n');
    await assert.rejects(loadConfig(path), { message: new RegExp(`^${path}:1:`, 'm') });
    await assert.rejects(loadConfig(join(folder, 'none.yaml')), /none\.yaml: found no such file, wanted a configuration file: drydock\.yaml here, --config FILE or DRYDOCK_CONFIG/);
    await assert.rejects(loadConfig(folder), /found a directory/);
    await rm(folder, { recursive: true });
  });
});

describe('a good drydock.yaml', () => {
  it('needs a name and nodes; the rest has defaults', () => {
    const { spec, temporal } = configOf(GOOD, '/etc/drydock/drydock.yaml');
    assert.deepEqual(spec, {
      cluster: 'demo',
      ssh: { user: 'root', port: 22, agent: false, knownHosts: join(homedir(), '.ssh/known_hosts'), sudo: 'auto', connectTimeoutSeconds: 10, keepAliveSeconds: 5 },
      nodes: [{ name: 'cp1', host: '10.0.0.1', role: 'control-plane', labels: {} }],
      packages: { repository: 'https://pkgs.k8s.io/core:/stable:/v{minor}/deb/' },
      upgrade: { workers: 'rolling', maxUnavailable: '1', maxParallel: 10, order: [], ignorePreflightErrors: [], drainAllAtOnce: false },
      drain: { timeoutSeconds: 1200, deleteEmptyDirData: false, evictUnmanaged: false },
      ready: { timeoutSeconds: 600, steadySeconds: 30 },
      backup: { folder: '/etc/drydock/backups' },
      approvals: { upgrade: false },
    });
    assert.equal(temporal, undefined);
  });

  it('has paths from its own folder, from home, or absolute', () => {
    const { spec, temporal } = configOf(`${GOOD}kubeconfig: ../k\nssh: {identity: ~/.ssh/id, knownHosts: /etc/kh, bastion: {host: b, identity: ./bid}}\nbackup: {folder: b}\ntemporal: {address: "a:7233", apiKeyFile: key, tls: {ca: ca.pem}}\n`, '/etc/drydock/drydock.yaml');
    assert.deepEqual(
      [spec.kubeconfig, spec.ssh.identity, spec.ssh.knownHosts, spec.ssh.bastion?.identity, spec.backup.folder, temporal?.apiKeyFile, temporal?.tls?.ca],
      ['/etc/k', join(homedir(), '.ssh/id'), '/etc/kh', '/etc/drydock/bid', '/etc/drydock/b', '/etc/drydock/key', '/etc/drydock/ca.pem'],
    );
    assert.deepEqual([spec.ssh.bastion?.user, spec.ssh.bastion?.port, temporal?.namespace], ['root', 22, 'default']);
  });

  const TIMES: readonly (readonly [text: string, seconds: number])[] = [['15m', 900], ['90s', 90], ['1h30m', 5400], ['1h', 3600], ['45', 45], ['1h0m5s', 3605], ['2.5', 2.5]];
  for (const [text, seconds] of TIMES) {
    it(`takes ${text} for ${seconds} s`, () => assert.equal(configOf(`${GOOD}drain: {timeout: ${text}, maxGrace: ${text}}\n`, '/f').spec.drain.maxGraceSeconds, seconds));
  }

  it('takes counts and shares', () => {
    for (const [text, wanted] of [['2', '2'], ['"2"', '2'], ['20%', '20%'], ['100%', '100%']] as const) {
      assert.equal(configOf(`${GOOD}upgrade: {maxUnavailable: ${text}}\n`, '/f').spec.upgrade.maxUnavailable, wanted);
    }
  });

  it('takes hosts of every kind', () => {
    for (const host of ['10.0.0.1', 'node-1.example.com', 'NODE1', 'fe80::1%eth0', '::1', '2001:db8::7', 'a', 'node_1']) {
      assert.equal(configOf(`cluster: d\nnodes: [{name: cp1, host: "${host}", role: control-plane}]\n`, '/f').spec.nodes[0]?.host, host);
    }
  });

  it('takes one machine with two ports for two', () => {
    const text = 'cluster: d\nnodes:\n  - {name: cp1, host: a, port: 2201, role: control-plane}\n  - {name: w1, host: a, port: 2202, role: worker}\n';
    assert.equal(configOf(text, '/f').spec.nodes.length, 2);
  });

  it('has no field that is undefined: it travels as JSON', () => {
    const { spec } = configOf(GOOD, '/f');
    assert.deepEqual(JSON.parse(JSON.stringify(spec)), spec);
    assert.ok(!('kubeconfig' in spec));
  });

  it('is shown with every default, and means the same when read again', () => {
    const config = configOf(`${GOOD}upgrade: {maxUnavailable: 20%}\ndrain: {timeout: 5m}\ntemporal: {address: "a:1"}\n`, '/etc/drydock/drydock.yaml');
    const text = renderConfig(config);
    assert.match(text, /^# \/etc\/drydock\/drydock\.yaml with every default filled in\ncluster: demo\n/);
    assert.match(text, /connectTimeout: 10s/);
    const again = configOf(text, '/elsewhere/drydock.yaml');
    assert.deepEqual([again.spec, again.temporal], [config.spec, config.temporal]);
  });
});

describe('which file counts', () => {
  it('--config, then DRYDOCK_CONFIG, then drydock.yaml here', () => {
    assert.equal(findConfig('a.yaml', { DRYDOCK_CONFIG: '/b.yaml' }, '/srv'), '/srv/a.yaml');
    assert.equal(findConfig(undefined, { DRYDOCK_CONFIG: '/b.yaml' }, '/work'), '/b.yaml');
    assert.equal(findConfig(undefined, { DRYDOCK_CONFIG: '' }, '/srv'), '/srv/drydock.yaml');
    assert.equal(findConfig(undefined, {}, '/srv'), '/srv/drydock.yaml');
  });
});
