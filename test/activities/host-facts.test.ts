import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { factsCommand, gatherHostFacts } from '../../activities/host-facts.js';
import { candidatesOf } from '../../activities/host/candidates.js';
import { certificatesOf } from '../../activities/host/certificates.js';
import { parseHostFacts } from '../../activities/host/parse.js';
import { repositoriesOf } from '../../activities/host/repositories.js';
import { StepFailure } from '../../activities/failure.js';
import { aCluster, aNode } from '../support/cluster.js';
import { FakeShell } from '../support/fake-shell.js';

const recorded = (name: string) => readFileSync(new URL(`../../../test/activities/recorded/${name}.txt`, import.meta.url), 'utf8');
const cluster = aCluster({ packages: { repository: 'http://packages:8077/v{minor}/' } });
const context = { pattern: 'http://packages:8077/v[0-9]+\\.[0-9]+', repository: cluster.packages.repository, version: '1.37.2', clockOffsetMs: 4 };
/** A whole answer of the script with these sections. */
const answer = (sections: Record<string, string>) => Object.entries({ 'boot-id': 'b', ...sections, end: '' }).map(([name, text]) => `\n==drydock ${name}==\n${text}\n`).join('');
const parsed = (sections: Record<string, string>) => parseHostFacts(answer(sections), context)!;

describe('host facts, read from recorded answers', () => {
  it('of a worker', () => {
    assert.deepEqual(parseHostFacts(recorded('host-worker'), context), {
      bootId: '675ee569-65b5-445c-b0d1-233890b7bd05', machineId: 'b61bd3dca51f4e3e918f1c054f0b2f2f', os: 'debian 12', packageManager: 'apt', kernel: '6.18.44-fc-v595', cgroup: 'v1',
      kubeadmVersion: '1.36.3', kubeletVersion: '1.36.3',
      packages: { kubeadm: '1.36.3-1.1', kubectl: '1.36.3-1.1', kubelet: '1.36.3-1.1', held: ['kubeadm', 'kubectl', 'kubelet'], audit: [] },
      repositories: [{
        file: '/etc/apt/sources.list.d/kubernetes.list', minor: '1.37', keyExpires: '2036-11-20T14:49:37.000Z',
        line: 'deb [signed-by=/etc/apt/keyrings/kubernetes-apt-keyring.gpg] http://packages:8077/v1.37/ ./',
      }],
      candidates: { known: true, value: { version: '1.37.2', kubeadm: ['1.37.2-1.1'], kubelet: ['1.37.2-1.1'], kubectl: ['1.37.2-1.1'] } },
      freeBytes: { '/': 58748076032, '/var/lib/etcd': 58748076032, '/var/lib/kubelet': 58748076032, '/var/cache/apt': 58748076032 },
      etcdBytes: 0, clockOffsetMs: 4,
      certificates: { known: true, value: [{ name: 'ca', expires: '2036-11-20T15:00:47.000Z', authority: true }, { name: 'kubelet-client', expires: '2027-11-23T14:56:06.000Z', authority: false }] },
      manifests: [], kubeletFlags: [], failCgroupV1: false, rebootRequired: false,
    });
  });

  it('of a control-plane node', () => {
    const host = parseHostFacts(recorded('host-control-plane'), context)!;
    assert.deepEqual(host.manifests, ['etcd.yaml', 'kube-apiserver.yaml', 'kube-controller-manager.yaml', 'kube-scheduler.yaml']);
    assert.ok(host.etcdBytes > 1_000_000);
    assert.ok(host.certificates.known);
    assert.deepEqual(host.certificates.value.filter((each) => each.authority).map((each) => each.name), ['ca', 'etcd-ca', 'front-proxy-ca']);
    assert.deepEqual(host.certificates.value.filter((each) => each.name === 'apiserver'), [{ name: 'apiserver', expires: '2027-11-23T15:23:17Z', authority: false }]);
    assert.equal(host.certificates.value.at(-1)?.name, 'kubelet-client');
  });

  it('an answer that stops in the middle is none', () => {
    assert.equal(parseHostFacts(recorded('host-worker').replace('==drydock end==', ''), context), undefined);
    assert.equal(parseHostFacts('', context), undefined);
  });
});

describe('host facts, section by section', () => {
  it('a machine without apt', () => {
    const host = parsed({ os: 'rocky 9.4', cgroup: 'cgroup2fs', apt: '', candidates: '' });
    assert.deepEqual([host.packageManager, host.cgroup, host.candidates], ['other', 'v2', { known: false, why: 'the node has no apt' }]);
    assert.deepEqual([host.kubeadmVersion, host.packages, host.repositories], [undefined, { held: [], audit: [] }, []]);
  });

  it('packages that are half there, and removed ones', () => {
    assert.deepEqual(parsed({ packages: 'kubeadm half-configured 1.37.2-1.1\nkubectl config-files 1.36.3-1.1', audit: 'The following packages are only half configured:\n kubeadm  x' }).packages,
      { kubeadm: '1.37.2-1.1', held: [], audit: ['The following packages are only half configured:', ' kubeadm  x'] });
  });

  it('kubelet flags with and without quotes and comments', () => {
    assert.deepEqual(parsed({ 'kubelet-flags': 'KUBELET_KUBEADM_ARGS="--a=b --pod-infra-container-image=x:1"\n# KUBELET_EXTRA_ARGS=--no\nKUBELET_EXTRA_ARGS=--node-ip=10.0.0.1' }).kubeletFlags,
      ['--a=b', '--pod-infra-container-image=x:1', '--node-ip=10.0.0.1']);
  });

  it('failCgroupV1 set, unset, absent', () => {
    assert.deepEqual([parsed({ 'kubelet-config': 'failCgroupV1: true' }), parsed({ 'kubelet-config': 'failCgroupV1: false' }), parsed({})].map((host) => host.failCgroupV1), [true, false, undefined]);
  });

  it('who holds a lock', () => {
    assert.equal(parsed({ lock: '/usr/bin/apt-get upgrade (process 77)' }).packageLockHolder, '/usr/bin/apt-get upgrade (process 77)');
    assert.ok(!('packageLockHolder' in parsed({})));
  });

  const kernels: [what: string, running: string, installed: string, marker: string, required: boolean][] = [
    ['the newest runs', '6.1.0-28-amd64', 'vmlinuz-6.1.0-27-amd64\nvmlinuz-6.1.0-28-amd64', '', false],
    ['a newer one waits', '6.1.0-9-amd64', 'vmlinuz-6.1.0-9-amd64\nvmlinuz-6.1.0-28-amd64', '', true],
    ['another flavour is newer', '6.1.0-28-cloud-amd64', 'vmlinuz-6.1.0-28-cloud-amd64\nvmlinuz-6.9.0-1-amd64', '', false],
    ['a container with no kernel of its own', '6.18.44-fc', 'vmlinuz-6.1.0-28-amd64', '', false],
    ['the marker file', '6.18.44-fc', '', 'yes', true],
  ];
  for (const [what, kernel, installed, marker, required] of kernels) {
    it(`reboot required: ${what}`, () => assert.equal(parsed({ kernel, kernels: installed, 'reboot-required': marker }).rebootRequired, required));
  }
});

describe('repositories', () => {
  const table: [what: string, row: string, found: { minor?: string } | undefined][] = [
    ['the official one', '/etc/apt/sources.list.d/k.list\tdeb [signed-by=/k.gpg] https://pkgs.k8s.io/core:/stable:/v1.36/deb/ /', { minor: '1.36' }],
    ['a mirror in a file of that name', '/etc/apt/sources.list.d/kubernetes.list\tdeb http://mirror/x/1.36 ./', { minor: '1.36' }],
    ['a .sources stanza', '/etc/apt/sources.list.d/any.sources\tTypes: deb URIs: https://pkgs.k8s.io/core:/stable:/v1.35/deb/ Suites: / Signed-By: /k.gpg', { minor: '1.35' }],
    ['the legacy one without a minor', '/etc/apt/sources.list\tdeb https://apt.kubernetes.io/ kubernetes-xenial main', {}],
    ['a configured one under any name', '/etc/apt/sources.list.d/own.list\tdeb http://packages:8077/v1.36/ ./', { minor: '1.36' }],
    ['not Debian\'s own', '/etc/apt/sources.list\tdeb http://deb.example.org/debian bookworm main', undefined],
    ['not Docker\'s', '/etc/apt/sources.list.d/docker.list\tdeb https://download.docker.com/linux/debian bookworm stable', undefined],
  ];
  for (const [what, row, found] of table) {
    it(what, () => assert.deepEqual(repositoriesOf(row, '', context.pattern).map(({ minor }) => (minor === undefined ? {} : { minor })), found ? [found] : []));
  }

  it('the newest key of the ring counts, and a key without an end has none', () => {
    const row = '/a/kubernetes.list\tdeb [arch=amd64 signed-by=/k.gpg,/l.gpg] https://pkgs.k8s.io/v1.36/ /';
    const key = (end: string) => `/k.gpg\tpub:-:4096:1:234654DA9A296436:1661000000:${end}::-:::scSC:`;
    assert.equal(repositoriesOf(row, `${key('1730000000')}\n${key('1798000000')}`, undefined)[0]?.keyExpires, '2026-12-23T04:26:40.000Z');
    assert.equal(repositoriesOf(row, `${key('1730000000')}\n${key('')}`, undefined)[0]?.keyExpires, undefined);
    assert.equal(repositoriesOf(row, '', undefined)[0]?.keyExpires, undefined);
  });
});

describe('candidates', () => {
  const repository = 'http://packages/v{minor}/';
  it('in apt\'s order, each version once, Kubernetes packages only', () => {
    const offers = 'offers\n kubeadm | 1.37.2-2.1 | a\n kubeadm | 1.37.2-1.1 | a\n kubeadm | 1.37.2-1.1 | b\n kubelet | 1.37.2-1.1 | a';
    assert.deepEqual(candidatesOf(offers, '1.37', repository, []), { known: true, value: { version: '1.37', kubeadm: ['1.37.2-2.1', '1.37.2-1.1'], kubelet: ['1.37.2-1.1'], kubectl: [] } });
  });
  it('apt\'s own words when its lists cannot be read', () => {
    assert.deepEqual(candidatesOf('failed\nErr:1 http://packages/v1.37 ./ Release\nE: The repository \'http://packages/v1.37 ./ Release\' does not have a Release file.', '1.37', repository, []),
      { known: false, why: 'the package lists of http://packages/v{minor}/ cannot be read: The repository \'http://packages/v1.37 ./ Release\' does not have a Release file.' });
  });
  it('what is there instead when no file names the repository', () => {
    const answered = candidatesOf('none', '1.37', repository, [{ file: '/f', line: 'deb https://pkgs.k8s.io/v1.36/ /' }]);
    assert.deepEqual(answered, { known: false, why: 'no file below /etc/apt names http://packages/v{minor}/ (packages.repository); found: /f: deb https://pkgs.k8s.io/v1.36/ /' });
  });
  it('nothing asked, nothing known', () => assert.equal(candidatesOf('', undefined, repository, []).known, false));
});

describe('certificates', () => {
  it('text before kubeadm\'s JSON and missing ones are passed over', () => {
    const json = '[check-expiration] Reading configuration\n{"certificates":[{"name":"apiserver","expirationDate":"2027-01-01T00:00:00Z"},{"name":"x","expirationDate":"","missing":true}],"certificateAuthorities":[{"name":"ca","expirationDate":"2036-01-01T00:00:00Z"}]}';
    assert.deepEqual(certificatesOf(json, ''), { known: true, value: [{ name: 'apiserver', expires: '2027-01-01T00:00:00Z', authority: false }, { name: 'ca', expires: '2036-01-01T00:00:00Z', authority: true }] });
  });
  it('the files where kubeadm gives none', () => {
    const files = 'openssl\n/etc/kubernetes/pki/etcd/ca.crt\tnotAfter=Nov 20 15:00:47 2036 GMT\n/etc/kubernetes/pki/apiserver.crt\tunreadable';
    assert.deepEqual(certificatesOf('', files), { known: true, value: [{ name: 'etcd-ca', expires: '2036-11-20T15:00:47.000Z', authority: true }, { name: 'apiserver', expires: 'unreadable', authority: false }] });
  });
  it('unknown without either', () => assert.equal(certificatesOf('', '').known, false));
});

describe('gatherHostFacts', () => {
  const node = aNode('w1');
  const date = { stdout: `${Date.now() + 5000}000000\n` };

  it('asks once for the facts and once for the time', async () => {
    const shell = new FakeShell().on('sh', { stdout: recorded('host-worker') }).on('date', () => ({ stdout: `${Date.now() + 5000}000000\n` }));
    const answered = await gatherHostFacts(shell, cluster, node, { minor: '1.37', version: '1.37.2' });
    assert.ok(answered.reached);
    assert.ok(Math.abs(answered.host.clockOffsetMs - 5000) < 200, String(answered.host.clockOffsetMs));
    assert.equal(shell.calls.length, 2);
  });

  it('gives an SSH failure as an answer', async () => {
    const shell = new FakeShell().on('sh', new StepFailure('HostKeyChanged', 'another key'));
    assert.deepEqual(await gatherHostFacts(shell, cluster, node), { reached: false, kind: 'HostKeyChanged', why: 'another key' });
  });

  it('gives an answer that is not whole as CommandFailed', async () => {
    const shell = new FakeShell().on('sh', { exitCode: 1, stderr: 'mktemp: No space left on device' }).on('date', date);
    assert.deepEqual(await gatherHostFacts(shell, cluster, node), { reached: false, kind: 'CommandFailed', why: 'w1 did not answer all questions (exit code 1): mktemp: No space left on device.' });
  });

  it('lets a cancellation through', async () => {
    const controller = new AbortController();
    controller.abort(new Error('cancelled'));
    await assert.rejects(gatherHostFacts(new FakeShell(), cluster, node, {}, controller.signal), /cancelled/);
  });

  it('passes the pattern and address of the repository, and a proxy as a secret', () => {
    assert.deepEqual(factsCommand(cluster, { minor: '1.37' }).args.slice(2), ['drydock', 'http://packages:8077/v[0-9]+\\.[0-9]+', 'http://packages:8077/v1.37']);
    assert.deepEqual(factsCommand(cluster, {}).args.slice(3), ['http://packages:8077/v[0-9]+\\.[0-9]+', '']);
    const proxied = factsCommand(aCluster({ packages: { repository: 'http://p/v{minor}', proxy: 'http://u:p@proxy' } }), { minor: '1.37' });
    assert.deepEqual([proxied.program, proxied.args.slice(0, 3), proxied.secrets], ['env', ['http_proxy=http://u:p@proxy', 'https_proxy=http://u:p@proxy', 'sh'], ['http://u:p@proxy']]);
  });
});
