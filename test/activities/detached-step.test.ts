import assert from 'node:assert/strict';
import { detachedNames } from '../../activities/detached-names.js';
import { ATTACH, ESCAPED_WRAPPER, START, throughSystemd } from '../../activities/detached-scripts.js';
import { parseState } from '../../activities/detached-state.js';
import { attended, pruneRecords, readOutput, runDetached, type DetachedOptions, type DetachedProgress, type DetachedStep } from '../../activities/detached-step.js';
import { StepFailure } from '../../activities/failure.js';
import type { Command } from '../../activities/ports/remote-shell.js';
import { aCluster, aNode } from '../support/cluster.js';
import { FakeShell } from '../support/fake-shell.js';
import { failure } from '../support/ssh-suite.js';

const step: DetachedStep = {
  cluster: aCluster(), node: aNode('w1'), run: '01980a2b-1111-7222-8333-444455556666', step: 'kubeadm-apply', attempt: 1,
  command: { program: 'kubeadm', args: ['upgrade', 'apply', '-y', 'v1.37.2'] }, description: 'drydock: kubeadm upgrade apply v1.37.2',
};

const isStart = (command: Command) => command.args[1] === START;
const isAttach = (command: Command) => command.args[1] === ATTACH;
const isPrune = (command: Command) => command.args[3] === '/var/lib/drydock';
const state = (fields: string, output = '') => {
  const all = Object.fromEntries(fields.split(' ').map((field) => field.split('=') as [string, string]));
  const of = (key: string, without = '-') => all[key] ?? without;
  return { stdout: `drydock state=${of('state')} code=${of('code')} begun=${of('begun')} ended=${of('ended')} bytes=${output.length} newrun=${of('newrun', 'no')}\n${output}` };
};
const lost = () => new StepFailure('ConnectionLost', 'gone');
const quiet: DetachedOptions = { heartbeat: () => {} };
const starts = (shell: FakeShell) => shell.calls.filter((call) => isStart(call.command)).length;

describe('runDetached', () => {
  it('starts, waits and returns exit code, output and times', async () => {
    const shell = new FakeShell()
      .on(isStart, state('state=started'))
      .on(isAttach, state('state=running begun=1000'), state('state=finished code=0 begun=1000 ended=1085', 'all well\n'));
    assert.deepEqual(await runDetached(shell, step, quiet), {
      outcome: 'exited', exitCode: 0, output: 'all well\n', startedAt: '1970-01-01T00:16:40.000Z', endedAt: '1970-01-01T00:18:05.000Z', seconds: 85,
    });
    assert.equal(starts(shell), 1);
  });

  it('passes directory, unit, description, record and command to one fixed script', async () => {
    const shell = new FakeShell().on(isStart, state('state=finished code=0 begun=1 ended=2'));
    await runDetached(shell, { ...step, command: { program: 'sh', args: ['-c', 'echo $HOME $$'], secrets: [] } }, quiet);
    const dir = '/var/lib/drydock/01980a2b-1111-7222-8333-444455556666/kubeadm-apply';
    assert.deepEqual(shell.calls[0]?.command, {
      program: 'sh', secrets: [],
      args: ['-c', START, 'drydock', dir, detachedNames(step.run, step.step, 1).unit, step.description,
        '{"description":"drydock: kubeadm upgrade apply v1.37.2","program":"sh","args":["-c","echo $HOME $$"]}',
        ESCAPED_WRAPPER, dir, 'sh', '-c', 'echo $$HOME $$$$'],
    });
  });

  it('finds the end of an earlier start without waiting', async () => {
    const shell = new FakeShell().on(isStart, state('state=finished code=7 begun=10 ended=12', 'broken'));
    const result = await runDetached(shell, step, quiet);
    assert.deepEqual([result.outcome, result.outcome === 'exited' && result.exitCode], ['exited', 7]);
    assert.equal(shell.calls.length, 1);
  });

  for (const why of ['reboot', 'killed'] as const) {
    it(`reports ${why} as interrupted, with what was printed`, async () => {
      const shell = new FakeShell().on(isStart, state('state=running begun=10')).on(isAttach, state(`state=${why} begun=10`, 'half\n'));
      assert.deepEqual(await runDetached(shell, step, quiet), { outcome: 'interrupted', why, output: 'half\n', startedAt: '1970-01-01T00:00:10.000Z' });
    });
  }

  it('attaches again after lost connections and never starts twice once the node has answered', async () => {
    const shell = new FakeShell()
      .on(isStart, state('state=started'))
      .on(isAttach, lost(), lost(), state('state=running begun=10'), lost(), state('state=finished code=0 begun=10 ended=20'));
    const seen: DetachedProgress[] = [];
    const result = await runDetached(shell, step, { heartbeat: (progress) => seen.push(progress) });
    assert.equal(result.outcome, 'exited');
    assert.equal(starts(shell), 1);
    assert.ok(seen.some((progress) => progress.connectionLostSince !== null));
  });

  it('asks to start again when the first start got no answer', async () => {
    const shell = new FakeShell().on(isStart, lost(), state('state=running begun=10')).on(isAttach, state('state=finished code=0 begun=10 ended=20'));
    await runDetached(shell, step, quiet);
    assert.equal(starts(shell), 2);
  });

  it('waits through an unknown state', async () => {
    const shell = new FakeShell().on(isStart, state('state=unknown begun=10')).on(isAttach, state('state=unknown begun=10'), state('state=reboot begun=10'));
    assert.equal((await runDetached(shell, step, quiet)).outcome, 'interrupted');
  });

  it('starts a unit that came to nothing again, three times at most', async () => {
    const shell = new FakeShell().on(isStart, state('state=started')).on(isAttach, state('state=absent'));
    await failure(runDetached(shell, step, quiet), 'CommandFailed', /never began.*journalctl -u drydock-/);
    assert.equal(starts(shell), 3);
  });

  it('gives up after the deadline without an answer, with the last failure', async () => {
    const shell = new FakeShell().on(isStart, new StepFailure('HostUnreachable', 'no route'));
    await failure(runDetached(shell, step, { ...quiet, deadlineMs: 600 }), 'HostUnreachable', /no route/);
  });

  it('a node that stays silent has a name of its own, which is not tried again by itself', async () => {
    const shell = new FakeShell().on(isStart, state('state=running begun=10')).on(isAttach, lost());
    await failure(attended(shell, step, quiet, 600), 'NodeSilent', /w1 has not answered .* while kubeadm-apply ran: gone/);
    await failure(attended(new FakeShell().on(isStart, new StepFailure('HostKeyChanged', 'another key')), step, quiet, 600), 'HostKeyChanged');
  });

  it('does not wait out what no waiting helps', async () => {
    const shell = new FakeShell().on(isStart, new StepFailure('HostKeyChanged', 'another key'));
    await failure(runDetached(shell, step, quiet), 'HostKeyChanged');
    assert.equal(shell.calls.length, 1);
  });

  it('tells why it could not be started, without secrets', async () => {
    const shell = new FakeShell().on(isStart, { exitCode: 69, stderr: 'drydock: systemd-run is missing; token abcdef.0123456789abcdef' });
    const error = await failure(runDetached(shell, step, quiet), 'CommandFailed', /w1: drydock: kubeadm upgrade apply v1.37.2 could not be started: drydock: systemd-run is missing/);
    assert.doesNotMatch(error.message + String(error.output), /0123456789abcdef/);
  });

  it('detaches when cancelled and leaves the node alone', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const shell = new FakeShell().on(isStart, state('state=started')).on(isAttach, () => { controller.abort(reason); return state('state=running begun=1'); });
    await assert.rejects(runDetached(shell, step, { ...quiet, signal: controller.signal }), reason);
    assert.equal(shell.calls.length, 2);
  });

  it('redacts output, progress and the record on the node', async () => {
    const secret = 'hunter2hunter2';
    const shell = new FakeShell()
      .on(isStart, state('state=started'))
      .on(isAttach, state('state=finished code=0 begun=1 ended=2', `join --token abcdef.0123456789abcdef\nuse ${secret}\n`));
    const result = await runDetached(shell, { ...step, command: { program: 'join', args: [secret], secrets: [secret] } }, quiet);
    assert.equal(result.output, 'join --token [redacted]\nuse [redacted]\n');
    assert.equal(shell.calls[0]?.command.args[6], '{"description":"drydock: kubeadm upgrade apply v1.37.2","program":"join","args":["[redacted]"]}');
  });

  it('cuts long output to 4 KiB, the end kept', async () => {
    const shell = new FakeShell().on(isStart, state('state=finished code=1 begun=1 ended=2', `${'x'.repeat(50_000)}\nthe cause`));
    const result = await runDetached(shell, step, quiet);
    assert.ok(Buffer.byteLength(result.output) <= 4096);
    assert.match(result.output, /bytes left out.*x\nthe cause$/s);
  });

  it('tidies up when the run is new on the node, and goes on when that fails', async () => {
    for (const answer of [{ stdout: 'old\n' }, { exitCode: 1 }, lost()]) {
      const shell = new FakeShell().on(isStart, state('state=started newrun=yes')).on(isPrune, answer).on(isAttach, state('state=finished code=0 begun=1 ended=2'));
      assert.equal((await runDetached(shell, step, quiet)).outcome, 'exited');
      assert.deepEqual(shell.calls.map((call) => [isStart, isPrune, isAttach].findIndex((is) => is(call.command))), [0, 1, 2]);
    }
  });

  it('heartbeats at least every 2 s with the last line', async () => {
    const shell = new FakeShell()
      .on(isStart, state('state=started'))
      .on(isAttach, state('state=running begun=1000', 'one\ntwo\n'), () => new Promise((resolve) => { setTimeout(() => resolve(state('state=finished code=0 begun=1000 ended=1002')), 2300); }));
    const seen: DetachedProgress[] = [];
    await runDetached(shell, step, { heartbeat: (progress) => seen.push(progress) });
    assert.deepEqual(seen.at(-1), {
      unit: detachedNames(step.run, step.step, 1).unit, step: 'kubeadm-apply', lastLine: 'two', startedAt: '1970-01-01T00:16:40.000Z', bytes: 8, connectionLostSince: null,
    });
  });
});

describe('readOutput and pruneRecords', () => {
  it('gives the whole output, redacted, or undefined without a record', async () => {
    const shell = new FakeShell().on('cat', { stdout: 'password=secret1' }, { exitCode: 1, stderr: 'No such file' });
    assert.equal(await readOutput(shell, step), 'password=[redacted]');
    assert.equal(await readOutput(shell, step), undefined);
    assert.deepEqual(shell.calls[0]?.command.args, ['--', '/var/lib/drydock/01980a2b-1111-7222-8333-444455556666/kubeadm-apply/output']);
  });

  it('names the runs that were removed', async () => {
    const shell = new FakeShell().on(isPrune, { stdout: 'a\nb\n' });
    assert.deepEqual(await pruneRecords(shell, step.cluster, step.node, step.run), ['a', 'b']);
    assert.deepEqual(shell.calls[0]?.command.args.slice(2), ['drydock', '/var/lib/drydock', step.run, '10', '90']);
  });
});

describe('detachedNames', () => {
  const table: [run: string, step: string, attempt: number, unit: RegExp, dir: string | RegExp][] = [
    ['run1', 'kubeadm', 1, /^drydock-run1-kubeadm-1\.service$/, '/var/lib/drydock/run1/kubeadm'],
    ['run1', 'kubeadm', 2, /^drydock-run1-kubeadm-2\.service$/, '/var/lib/drydock/run1/kubeadm.2'],
    [step.run, 'apt-update', 1, /^drydock-01980a2b-apt-update-1_[0-9a-f]{8}\.service$/, `/var/lib/drydock/${step.run}/apt-update`],
    ['run1', 'a/../b c', 1, /^drydock-run1-a-b-c-1_[0-9a-f]{8}\.service$/, /^\/var\/lib\/drydock\/run1\/a-b-c_[0-9a-f]{8}$/],
    ['..', '.', 1, /^drydock-----1_[0-9a-f]{8}\.service$/, /^\/var\/lib\/drydock\/-_[0-9a-f]{8}\/-_[0-9a-f]{8}$/],
    ['', '', 1, /^drydock-----1_[0-9a-f]{8}\.service$/, /^\/var\/lib\/drydock\/-_[0-9a-f]{8}\/-_[0-9a-f]{8}$/],
    ['run1', 'x'.repeat(300), 1, /^drydock-run1-x{100}-1_[0-9a-f]{8}\.service$/, /^\/var\/lib\/drydock\/run1\/x{100}_[0-9a-f]{8}$/],
    ['run1', 'größe %n@1', 1, /^drydock-run1-gr-e-n-1-1_[0-9a-f]{8}\.service$/, /^\/var\/lib\/drydock\/run1\/gr-e-n-1_[0-9a-f]{8}$/],
  ];
  for (const [run, name, attempt, unit, dir] of table) {
    it(`of ${run}, ${name.slice(0, 20)}, ${attempt}`, () => {
      const names = detachedNames(run, name, attempt);
      assert.match(names.unit, unit);
      if (typeof dir === 'string') assert.equal(names.dir, dir);
      else assert.match(names.dir, dir);
      assert.ok(names.unit.length < 255);
    });
  }

  it('never gives one name to two attempts', () => {
    const runs = ['a', 'a-b', 'A', 'a b', 'a.b', '01980a2b-1', '01980a2b-2', '01980a2b', ''];
    const steps = ['b-c', 'c', 'b', 'b.2', 'b-1', 'b_1', 'c-2', ''];
    const all = runs.flatMap((run) => steps.flatMap((name) => [1, 2, 12].map((attempt) => detachedNames(run, name, attempt))));
    assert.equal(new Set(all.map((names) => names.unit)).size, all.length);
    assert.equal(new Set(all.map((names) => names.dir)).size, all.length);
  });
});

describe('detached state', () => {
  it('is read from the script\'s answer only', () => {
    assert.deepEqual(parseState({ exitCode: 0, stdout: 'drydock state=finished code=0 begun=5 ended=9 bytes=3 newrun=no\nabc' }),
      { state: 'finished', exitCode: 0, begun: 5, ended: 9, bytes: 3, newRun: false, output: 'abc' });
    assert.equal(parseState({ exitCode: 1, stdout: 'drydock state=finished code=0 begun=5 ended=9 bytes=3 newrun=no\n' }), undefined);
    assert.equal(parseState({ exitCode: 0, stdout: 'welcome to w1\n' }), undefined);
  });

  it('words keep their dollars through the service manager', () => {
    assert.equal(throughSystemd('$HOME ${X} $$ plain'), '$$HOME $${X} $$$$ plain');
  });
});
