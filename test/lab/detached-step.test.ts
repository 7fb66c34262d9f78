import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SshShell } from '../../activities/adapters/ssh-shell.js';
import { detachedNames } from '../../activities/detached-names.js';
import { pruneRecords, readOutput, runDetached, type DetachedProgress, type DetachedResult, type DetachedStep } from '../../activities/detached-step.js';
import type { ClusterSpec, NodeSpec } from '../../domain/cluster.js';
import { needsLab } from '../support/lab.js';

const CHILD = fileURLToPath(new URL('./detached-child.js', import.meta.url));

describe('detached steps on a real node', function () {
  this.timeout(240_000);
  const lab = needsLab();
  let cluster: ClusterSpec;
  let node: NodeSpec;
  before(() => {
    cluster = lab();
    node = cluster.nodes.find((each) => each.role === 'worker') ?? cluster.nodes[0]!;
  });
  const run = `test${Date.now().toString(36)}`;
  const counter = (name: string) => `/root/drydock-test-${run}-${name}`;
  let shell: SshShell;
  beforeEach(() => { shell = new SshShell(); });
  afterEach(async () => shell.close());
  after(async () => {
    const tidy = new SshShell();
    // The last tests reboot the node.
    for (let i = 0; i < 30 && !(await sh(tidy, 'echo up').catch(() => '')).includes('up'); i++) await sleep(1000);
    await sh(tidy, `rm -rf /root/drydock-test-${run}-* /var/lib/drydock/${run}*`);
    await tidy.close();
  });

  const sh = async (by: SshShell, script: string) => (await by.run(cluster, node, { program: 'sh', args: ['-c', script] })).stdout;
  /** Counts its executions in a file, so that a second one would show. */
  const stepOf = (name: string, script: string, attempt = 1): DetachedStep => ({
    cluster, node, run, step: name, attempt, description: `drydock: test ${name}`,
    command: { program: 'sh', args: ['-c', `echo x >>"$1"; ${script}`, 'sh', counter(name)] },
  });
  const executions = async (name: string) => (await sh(shell, `wc -l <'${counter(name)}'`)).trim();
  const exited = (result: DetachedResult) => {
    assert.equal(result.outcome, 'exited', JSON.stringify(result));
    return result;
  };
  const quiet = { heartbeat: () => {} };

  /** The same step in a process of its own. */
  const inProcess = (step: DetachedStep): ChildProcess =>
    spawn(process.execPath, [CHILD], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, DRYDOCK_TEST_STEP: JSON.stringify(step) } });

  it('runs once, with both streams in order, and is found again afterwards', async () => {
    const step = stepOf('once', 'echo one; echo two >&2; echo three; exit 5');
    const first = exited(await runDetached(shell, step, quiet));
    assert.deepEqual([first.exitCode, first.output], [5, 'one\ntwo\nthree\n']);
    assert.deepEqual(await runDetached(shell, step, quiet), first);
    assert.equal(await executions('once'), '1');
    assert.equal(await readOutput(shell, step), 'one\ntwo\nthree\n');
    exited(await runDetached(shell, stepOf('once', 'true', 2), quiet));
    assert.equal(await executions('once'), '2');
  });

  it('carries words that shells and the service manager would change', async () => {
    const words = ['$HOME', '${HOME}', '$$', '%n %i %%', "it's", '"q"', 'a\nb', '\\', '', ' ', '*', '$', '-x', '\t', '漢字'];
    const step: DetachedStep = { ...stepOf('words', ''), command: { program: 'sh', args: ['-c', 'for a; do printf "%s" "$a" | od -An -v -tx1 | tr -d " \\n"; echo; done', 'sh', ...words] } };
    const result = exited(await runDetached(shell, step, quiet));
    assert.deepEqual(result.output.split('\n').slice(0, -1), words.map((word) => Buffer.from(word).toString('hex')));
  });

  it('shows one line in the node\'s journal for one command', async () => {
    const step = stepOf('journal', 'true');
    await runDetached(shell, step, quiet);
    await runDetached(shell, step, quiet);
    const { unit } = detachedNames(run, 'journal', 1);
    assert.equal((await sh(shell, `journalctl -u ${unit} -o cat | grep -c '^Started'`)).trim(), '1');
  });

  it('keeps the record for root alone and leaves no unit behind', async () => {
    const step = stepOf('record', 'exit 3');
    await runDetached(shell, step, quiet);
    const { dir, unit } = detachedNames(run, 'record', 1);
    assert.equal(await sh(shell, `stat -c '%a %U' /var/lib/drydock ${dir}; ls ${dir}; systemctl show -p LoadState ${unit}`), '700 root\n700 root\nbegin\ncommand\nexit\noutput\nLoadState=not-found\n');
  });

  it('is one execution when two workers and ten callers start it together', async () => {
    const step = stepOf('race', 'sleep 2; echo done');
    const other = new SshShell();
    const results = await Promise.all(Array.from({ length: 10 }, (_, i) => runDetached(i % 2 === 0 ? shell : other, step, quiet)));
    await other.close();
    assert.ok(results.every((result) => exited(result).output === 'done\n'));
    assert.equal(await executions('race'), '1');
  });

  it('is one execution when very short ones are started again and again', async () => {
    const step = stepOf('short', 'true');
    const shells = [shell, new SshShell(), new SshShell()];
    for (let i = 0; i < 5; i++) await Promise.all(shells.map((each) => runDetached(each, step, quiet)));
    await Promise.all(shells.slice(1).map((each) => each.close()));
    assert.equal(await executions('short'), '1');
  });

  it('goes on when the client is killed, and a second process attaches', async () => {
    const step = stepOf('killed-client', 'for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 1; done');
    const first = inProcess(step);
    await sleep(4000);
    first.kill('SIGKILL');
    await once(first, 'exit');
    const second = inProcess(step);
    const [chunk] = await once(second.stdout!, 'data') as [Buffer];
    assert.equal(exited(JSON.parse(chunk.toString()) as DetachedResult).output, '1\n2\n3\n4\n5\n6\n7\n8\n');
    assert.equal(await executions('killed-client'), '1');
  });

  it('outlives every SSH session and sshd itself being down for a while', async () => {
    const step = stepOf('dropped', 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $i; sleep 1; done');
    const seen: DetachedProgress[] = [];
    const running = runDetached(shell, step, { heartbeat: (progress) => seen.push(progress) });
    await sleep(3500);
    const other = new SshShell();
    // In a unit of its own, because it ends the session that asks for it.
    await sh(other, 'systemd-run --quiet --collect sh -c "systemctl stop ssh.socket ssh 2>/dev/null; pkill -9 -x sshd; sleep 4; systemctl start ssh"').catch(() => undefined);
    const result = exited(await running);
    await other.close();
    assert.equal(result.output, '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n');
    assert.equal(await executions('dropped'), '1');
    assert.ok(seen.some((progress) => progress.connectionLostSince !== null), 'no loss was seen');
    assert.ok(seen.some((progress) => progress.lastLine !== '' && progress.startedAt !== null && progress.bytes > 0));
  });

  it('is cancelled here without a trace there', async () => {
    const step = stepOf('cancelled', 'sleep 5; echo done');
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('cancelled')), 2000);
    await assert.rejects(runDetached(shell, step, { ...quiet, signal: controller.signal }), /cancelled/);
    assert.equal(exited(await runDetached(shell, step, quiet)).output, 'done\n');
    assert.equal(await executions('cancelled'), '1');
  });

  it('tells a killed unit from an exit', async () => {
    const step = stepOf('killed', 'echo begun; sleep 60');
    const running = runDetached(shell, step, quiet);
    await sleep(2500);
    await sh(shell, `systemctl kill --kill-who=all --signal=KILL ${detachedNames(run, 'killed', 1).unit}`);
    const result = await running;
    assert.deepEqual([result.outcome, result.outcome === 'interrupted' && result.why, result.output], ['interrupted', 'killed', 'begun\n']);
    assert.equal((await runDetached(shell, step, quiet)).outcome, 'interrupted');
    assert.equal(await executions('killed'), '1');
  });

  it('reports a program that does not exist as an exit with 127', async () => {
    const result = exited(await runDetached(shell, { ...stepOf('missing', ''), command: { program: 'no-such-program', args: [] } }, quiet));
    assert.deepEqual([result.exitCode, /not found/.test(result.output)], [127, true]);
  });

  it('removes old records, and none that is in use', async () => {
    await sh(shell, `cd /var/lib/drydock && for i in 1 2 3 4 5 6 7 8 9 10 11 12; do mkdir -p ${run}-old$i/s; touch ${run}-old$i/s/command; echo x >${run}-old$i/s/begin; echo 0 >${run}-old$i/s/exit; find ${run}-old$i -exec touch -d "$((i + 2)) days ago" {} +; done
      rm ${run}-old12/s/exit; echo "$(cat /proc/sys/kernel/random/boot_id) 1" >${run}-old12/s/begin; find ${run}-old12 -exec touch -d '40 days ago' {} +`);
    const gone = await pruneRecords(shell, cluster, node, run, { keepRuns: 5, keepDays: 90 });
    await sh(shell, `mkdir -p /var/lib/drydock/${run}-other/x; find /var/lib/drydock/${run}-other -exec touch -d '400 days ago' {} +`);
    assert.deepEqual(await pruneRecords(shell, cluster, node, run, { keepRuns: 5, keepDays: 90 }), []);
    const left = (await sh(shell, 'ls /var/lib/drydock')).split('\n');
    assert.ok(gone.includes(`${run}-old11`) && !left.includes(`${run}-old11`));
    assert.ok(left.includes(run) && left.includes(`${run}-old1`) && left.includes(`${run}-old12`) && left.includes(`${run}-other`), left.join(' '));
  });

  for (const how of ['systemctl reboot --force', 'systemctl reboot --force --force']) it(`reports a reboot in the middle (${how}), waits for the node, and does not run again`, async () => {
    const name = how.replace(/\W+/g, '-');
    const step = stepOf(name, 'echo begun; exec sleep 100');
    const seen: DetachedProgress[] = [];
    const running = runDetached(shell, step, { heartbeat: (progress) => seen.push(progress) });
    await sleep(2500);
    const began = Date.now();
    await sh(new SshShell(), 'systemd-run --quiet --collect --on-active=1 ' + how).catch(() => undefined);
    const result = await running;
    process.stderr.write(`      back after ${Math.round((Date.now() - began) / 1000)} s\n`);
    assert.deepEqual([result.outcome, result.outcome === 'interrupted' && result.why], ['interrupted', 'reboot']);
    assert.match(result.output, /^begun\n(Terminated\n)?$/);
    assert.deepEqual(await runDetached(shell, step, quiet), result);
    assert.equal(await executions(name), '1');
  });

  it('a shutdown gives the command time to finish', async () => {
    const step = stepOf('shutdown', 'echo begun; sleep 12; echo whole');
    const running = runDetached(shell, step, quiet);
    await sleep(2500);
    await sh(new SshShell(), 'systemd-run --quiet --collect systemctl reboot').catch(() => undefined);
    const result = exited(await running);
    assert.deepEqual([result.exitCode, result.output], [0, 'begun\nwhole\n']);
    assert.equal(await executions('shutdown'), '1');
  });
});
