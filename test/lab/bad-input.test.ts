import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { LabCluster } from '../../lab/index.js';
import { Drydock } from '../support/lab-drydock.js';
import { labSsh } from '../../lab/index.js';
import { packagesOf } from '../support/lab-kube.js';
import { useCluster } from '../support/lab-run.js';
import { assertFitsSchema, assertSchedulable, workersOf } from '../support/lab-upgraded.js';
import { keygen } from '../support/sshd.js';

interface File {
  cluster: string;
  kubeconfig?: string;
  ssh: Record<string, unknown>;
  nodes: { name: string; host: string; role: string }[];
  [section: string]: unknown;
}

/** A variant of the cluster's drydock.yaml, under a cluster name of its own so that none gets in another's way. */
function variant(cluster: LabCluster, name: string, change: (file: File) => void): Drydock {
  const file = parse(readFileSync(cluster.config, 'utf8')) as File;
  file.cluster = name;
  change(file);
  const path = join(cluster.dir, `${name}.yaml`);
  writeFileSync(path, stringify(file));
  return new Drydock(path);
}

interface Mistake {
  readonly name: string;
  readonly title: string;
  readonly change: (file: File, cluster: LabCluster) => void;
  readonly to?: string;
  readonly code: 2 | 3;
  readonly says: (cluster: LabCluster) => RegExp[];
}

const node = (file: File, name: string | undefined) => file.nodes.find((each) => each.name === name)!;

const MISTAKES: Mistake[] = [
  { name: 'unreachable', title: 'an unreachable host', code: 3, says: (cluster) => [/host-unreachable/, new RegExp(workersOf(cluster)[0]!)],
    change: (file, cluster) => {
      const worker = node(file, workersOf(cluster)[0]);
      worker.host = worker.host.replace(/\d+$/, '99');
      file.ssh['connectTimeout'] = '3s';
    } },
  { name: 'wrong-key', title: 'a key that no node knows', code: 3, says: (cluster) => [/ssh-authentication/, ...cluster.nodes.map(({ name }) => new RegExp(name))],
    change: (file, cluster) => {
      const key = join(cluster.dir, 'stranger');
      keygen('ed25519', key);
      file.ssh['identity'] = key;
    } },
  { name: 'changed-host-key', title: 'a host key that is not the recorded one', code: 3, says: (cluster) => [/host-key-changed/, new RegExp(workersOf(cluster)[1]!)],
    change: (file, cluster) => {
      const key = join(cluster.dir, 'other-host');
      keygen('ed25519', key);
      const other = readFileSync(`${key}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
      knownHosts(file, cluster, (line) => (line.startsWith(`${workersOf(cluster)[1]},`) ? (line.includes(' ssh-ed25519 ') ? `${line.split(' ')[0]} ${other}` : '') : line));
    } },
  { name: 'unknown-host-key', title: 'a host key that nobody recorded', code: 3, says: (cluster) => [/host-key-unknown/, new RegExp(workersOf(cluster)[1]!)],
    change: (file, cluster) => knownHosts(file, cluster, (line) => (line.startsWith(`${workersOf(cluster)[1]},`) ? '' : line)) },
  { name: 'no-sudo', title: 'a user whose sudo wants a password', code: 3, says: () => [/sudo-password/, /NOPASSWD/], change: (file) => (file.ssh['user'] = 'nopass') },
  { name: 'unknown-node', title: 'a node in the file that the cluster lacks', code: 3, says: () => [/node-not-in-cluster/, /nobody-w9/], change: (file, cluster) => (node(file, workersOf(cluster)[1]).name = 'nobody-w9') },
  { name: 'two-of-a-name', title: 'two nodes with one name', code: 2, says: (cluster) => [/nodes\[2\]\.name/, new RegExp(`${workersOf(cluster)[0]}.* a second time`)], change: (file, cluster) => (node(file, workersOf(cluster)[1]).name = workersOf(cluster)[0]!) },
  { name: 'missing-node', title: 'a node of the cluster that the file lacks', code: 3, says: (cluster) => [/node-not-in-file/, new RegExp(workersOf(cluster)[1]!)],
    change: (file, cluster) => (file.nodes = file.nodes.filter(({ name }) => name !== workersOf(cluster)[1])) },
  { name: 'no-such-version', title: 'a version that no repository has', to: '1.37.99', code: 3, says: () => [/candidate-missing/, /1\.37\.99/], change: () => undefined },
  { name: 'typo', title: 'a typo in a field', code: 2, says: () => [/typo\.yaml:\d+/, /"maxUnavailabel"/, /"maxUnavailable"/], change: (file) => (file['upgrade'] = { ...(file['upgrade'] as object), maxUnavailabel: 1 }) },
];

function knownHosts(file: File, cluster: LabCluster, change: (line: string) => string): void {
  const path = join(cluster.dir, `known_hosts-${file.cluster}`);
  writeFileSync(path, `${readFileSync(cluster.knownHosts, 'utf8').split('\n').map(change).filter((line) => line !== '').join('\n')}\n`);
  file.ssh['knownHosts'] = path;
}

describe('bad input is an error before anything changes', function () {
  this.timeout(180_000);
  const lab = useCluster('a', { version: '1.36.3', with: ['1.37.2'] });

  for (const { name, title, change, to, code, says } of MISTAKES) {
    it(`${title}: exit code ${code}`, async () => {
      const drydock = variant(lab(), name, (file) => change(file, lab()));
      const { text } = await drydock.ends(code, 'upgrade', '--to', to ?? '1.37.2', '--yes', '--json');
      for (const wanted of says(lab())) assert.match(text, wanted);
      if (code === 3) assert.equal((await drydock.ends(0, 'status', '--json')).stdout, 'null', 'no maintenance was started');
    });
  }

  it('a version that is none: exit code 2', async () => assert.match((await new Drydock(lab().config).ends(2, 'upgrade', '--to', 'newest', '--yes')).text, /"newest"/));

  it('no configuration file: exit code 2', async () => assert.match((await new Drydock(join(lab().dir, 'nothing.yaml')).ends(2, 'check')).text, /nothing\.yaml/));

  it('nothing was changed on any node', async () => {
    for (const { name } of lab().nodes) {
      assert.notEqual((await labSsh(lab(), name, 'test -e /var/lib/drydock')).exitCode, 0, `${name} has /var/lib/drydock`);
      const { versions } = await packagesOf(lab(), name);
      assert.ok(Object.values(versions).every((version) => version.startsWith('1.36.3-')), JSON.stringify(versions));
    }
    await assertSchedulable(lab());
  });
});

describe('ways to a cluster', function () {
  this.timeout(180_000);
  const lab = useCluster('a', { version: '1.36.3', with: ['1.37.2'] });
  const refusalsOf = async (drydock: Drydock): Promise<unknown[]> => (await drydock.json<{ refusals: unknown[] }>('check', '--to', '1.37.2')).refusals;

  it('as root, with a kubeconfig', async () => assert.deepEqual(await refusalsOf(new Drydock(lab().config)), []));
  it('as a user with sudo', async () => assert.deepEqual(await refusalsOf(variant(lab(), 'ops', (file) => (file.ssh['user'] = 'ops'))), []));
  it('without a kubeconfig, through an SSH tunnel', async () => assert.deepEqual(await refusalsOf(variant(lab(), 'tunnel', (file) => delete file.kubeconfig)), []));

  it('plans by the published schema', async () => {
    const plan = await new Drydock(lab().config).json<{ from: string; to: string; nodes: { name: string; kubeadm: string }[] }>('plan', 'upgrade', '--to', '1.37');
    assertFitsSchema('plan', plan);
    assert.deepEqual([plan.from, plan.to, plan.nodes.map(({ kubeadm }) => kubeadm)], ['1.36.3', '1.37.2', ['apply', 'node', 'node']]);
  });

  it('tells of the embedded service: pids that live, an address on loopback, a web UI that answers', async () => {
    const { server, worker, ...rest } = await new Drydock(lab().config).service();
    assert.deepEqual(rest, {});
    assert.ok(server && worker);
    assert.deepEqual(Object.keys(server).sort(), ['address', 'pid', 'webUi']);
    for (const { pid } of [server, worker]) assert.ok(process.kill(pid, 0));
    assert.match(server.address, /^127\.0\.0\.1:\d+$/);
    assert.equal((await fetch(server.webUi)).status, 200);
  });
});
