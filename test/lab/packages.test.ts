import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { SshShell } from '../../activities/adapters/ssh-shell.js';
import { download, install, switchRepository } from '../../activities/commands/apt.js';
import { runDetached, type DetachedResult } from '../../activities/detached-step.js';
import { factsCommand, gatherHostFacts } from '../../activities/host-facts.js';
import type { Command } from '../../activities/ports/remote-shell.js';
import type { ClusterSpec, NodeSpec } from '../../domain/cluster.js';
import { needsLab } from '../support/lab.js';

// Holds dpkg's lock the way dpkg does (fcntl), for $1 seconds.
const HOLD_LOCK = 'exec perl -MFcntl=:DEFAULT,:flock -e \'open(my $f, "+<", "/var/lib/dpkg/lock-frontend") or die; my $l = pack("s s l! l! i", 1, 0, 0, 0, 0); fcntl($f, F_SETLK, $l) or die "$!"; sleep shift\' "$1"';

describe('packages and facts on a real node', function () {
  this.timeout(240_000);
  const lab = needsLab();
  let cluster: ClusterSpec;
  let node: NodeSpec;
  before(() => {
    cluster = lab();
    node = cluster.nodes.filter((each) => each.role === 'worker').at(-1) ?? cluster.nodes[0]!;
  });
  const run = `packages${Date.now().toString(36)}`;
  const shell = new SshShell();
  let steps = 0;
  after(async () => {
    await sh(`rm -rf /var/lib/drydock/${run}`);
    await shell.close();
  });

  const sh = async (script: string) => (await shell.run(cluster, node, { program: 'sh', args: ['-c', script] })).stdout;
  const detached = (command: Command): Promise<DetachedResult> =>
    runDetached(shell, { cluster, node, run, step: `step-${++steps}`, attempt: 1, command, description: 'drydock: test of packages' }, { heartbeat: () => {} });
  const succeeds = async (command: Command) => {
    const result = await detached(command);
    assert.equal(result.outcome === 'exited' && result.exitCode, 0, JSON.stringify(result));
    return result.output;
  };
  const facts = async (minor?: string) => {
    const answer = await gatherHostFacts(shell, cluster, node, minor === undefined ? {} : { minor });
    assert.ok(answer.reached, JSON.stringify(answer));
    return answer.host;
  };

  it('gathering facts changes nothing on the node', async () => {
    await sh('touch /run/drydock-test-mark; sleep 1.1');
    const result = await shell.run(cluster, node, factsCommand(cluster, { minor: '1.37' }));
    assert.deepEqual([result.exitCode, result.stderr], [0, '']);
    const changed = await sh('find / -xdev -newer /run/drydock-test-mark \\( -type f -o -type l \\) -not -path "/proc/*" -not -path "/sys/*" -not -path "/var/log/*" -not -path "/var/lib/kubelet/*" -not -path "/var/lib/etcd/*" -not -path "/run/*" -not -path "/var/lib/containerd/*" -not -path "/var/lib/systemd/*" 2>/dev/null; ls -d /tmp/tmp.* /root/.gnupg 2>/dev/null');
    assert.equal(changed, '');
  });

  it('facts name the holder of dpkg\'s lock, and an installation waits for it', async () => {
    const host = await facts('1.37');
    const version = host.packages.kubectl!;
    const holding = shell.run(cluster, node, { program: 'sh', args: ['-c', HOLD_LOCK, 'sh', '8'] });
    await sleep(1000);
    assert.match((await facts()).packageLockHolder ?? 'none', /^perl .*\(process \d+\)$/);
    const began = Date.now();
    await succeeds(install(cluster.packages, [`kubectl=${version}`]));
    assert.ok(Date.now() - began > 4000, `took ${Date.now() - began} ms`);
    assert.equal((await holding).exitCode, 0);
    assert.equal((await facts()).packageLockHolder, undefined);
  });

  it('switches the repository, downloads, installs, and keeps the holds', async () => {
    const before = await facts('1.37');
    const minor = before.repositories[0]?.minor;
    assert.ok(minor !== undefined && before.candidates.known, JSON.stringify(before.repositories));
    const version = before.candidates.value.kubectl[0]!;
    await succeeds(switchRepository(cluster.packages, '1.37'));
    await succeeds(switchRepository(cluster.packages, '1.37'));
    assert.deepEqual((await facts()).repositories.map((each) => each.minor), ['1.37']);
    await succeeds(download(cluster.packages, '1.37', [`kubectl=${version}`]));
    assert.equal((await facts()).packages.kubectl, before.packages.kubectl);
    await succeeds(install(cluster.packages, [`kubectl=${version}`]));
    const after = await facts();
    assert.deepEqual([after.packages.kubectl, after.packages.held, after.packages.kubelet], [version, before.packages.held, before.packages.kubelet]);
    await succeeds(switchRepository(cluster.packages, minor));
  });

  it('keeps the holds when the installation fails, and says why', async () => {
    const before = await facts();
    const result = await detached(install(cluster.packages, ['kubectl=9.9.9-1.1']));
    assert.ok(result.outcome === 'exited' && result.exitCode === 100, JSON.stringify(result));
    assert.match(result.output, /Version '9\.9\.9-1\.1' for 'kubectl' was not found/);
    assert.deepEqual((await facts()).packages.held, before.packages.held);
  });

  it('repairs half-configured packages first', async () => {
    const before = await facts();
    await sh('d=$(mktemp -d); cd "$d" && apt-get download -qq "kubectl=$(apt-cache madison kubectl | awk "{ print \\$3; exit }")" >/dev/null 2>&1; dpkg --unpack ./kubectl_*.deb >/dev/null 2>&1; rm -r "$d"; apt-mark hold kubectl'); // dpkg takes the hold off too
    const broken = await facts();
    assert.ok(broken.packages.audit.length > 0);
    assert.match(await succeeds(install(cluster.packages, [`kubectl=${broken.packages.kubectl!}`])), /half-configured, running dpkg --configure -a/);
    assert.deepEqual((await facts()).packages.audit, []);
    assert.deepEqual((await facts()).packages.held, before.packages.held);
  });

  it('reads and switches a repository in deb822 form', async () => {
    const before = await facts('1.37');
    await sh(`cd /etc/apt/sources.list.d && mv kubernetes.list /root/ && sed -E 's#^deb *(\\[([a-z-]+)=([^]]*)\\])? *([^ ]+) +([^ ]+).*#Types: deb\\nURIs: \\4\\nSuites: \\5\\n\\2: \\3#; s#^trusted:#Trusted:#M; s#^signed-by:#Signed-By:#M' /root/kubernetes.list >kubernetes.sources`);
    try {
      const there = await facts('1.37');
      assert.deepEqual([there.candidates, there.repositories.map(({ minor, keyExpires }) => [minor, keyExpires])], [before.candidates, before.repositories.map(({ minor, keyExpires }) => [minor, keyExpires])]);
      await succeeds(switchRepository(cluster.packages, '1.37'));
      assert.deepEqual((await facts()).repositories.map((each) => each.minor), ['1.37']);
    } finally {
      await sh('rm /etc/apt/sources.list.d/kubernetes.sources; mv /root/kubernetes.list /etc/apt/sources.list.d/');
    }
  });

  it('an ordinary account works through sudo, and says so when it may not', async () => {
    await sh(`id drydock-test >/dev/null 2>&1 || useradd -m -s /bin/sh drydock-test
      mkdir -p ~drydock-test/.ssh && cp /root/.ssh/authorized_keys ~drydock-test/.ssh/ && chown -R drydock-test ~drydock-test/.ssh
      echo 'drydock-test ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/drydock-test`);
    const ordinary = { ...cluster, ssh: { ...cluster.ssh, user: 'drydock-test' } };
    const id = await shell.run(ordinary, node, { program: 'sh', args: ['-c', 'id -un; echo "$LC_ALL $PATH"'] });
    assert.equal(id.stdout, 'root\nC /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n');
    assert.equal((await shell.run(ordinary, node, { program: 'id', args: ['-un'] }, { asRoot: false })).stdout, 'drydock-test\n');
    const result = await runDetached(shell, { cluster: ordinary, node, run, step: 'as-ordinary', attempt: 1, command: { program: 'id', args: ['-un'] }, description: 'drydock: test 100% %n' }, { heartbeat: () => {} });
    assert.equal(result.output, 'root\n');
    assert.match(await sh('journalctl -n 200 -o cat | grep "^Started.*test 100"'), /test 100% %n/);
    assert.ok((await gatherHostFacts(shell, ordinary, node)).reached);
    await sh('rm /etc/sudoers.d/drydock-test');
    await assert.rejects(shell.run(ordinary, node, { program: 'id', args: [] }), { kind: 'SudoPassword' });
    assert.deepEqual(await gatherHostFacts(shell, ordinary, node).then((answer) => !answer.reached && answer.kind), 'SudoPassword');
    await sh('userdel -r drydock-test 2>/dev/null');
  });
});
