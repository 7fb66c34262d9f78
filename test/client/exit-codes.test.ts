import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceError, WorkflowFailedError } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, RetryState } from '@temporalio/common';
import { EXIT, Exit } from '../../client/exit.js';
import { exitOf } from '../../client/follow.js';
import { main } from '../../client/main.js';
import { asExit } from '../../client/maintenance.js';
import { FAILURES, type FailureKind } from '../../domain/failure.js';
import { captured } from '../support/capture.js';
import { aRunStatus } from '../support/status.js';

describe('asExit', () => {
  const failed = (cause: Error): WorkflowFailedError => new WorkflowFailedError('Workflow execution failed', cause, RetryState.RETRY_POLICY_NOT_SET);
  const application = (type: string): ApplicationFailure => ApplicationFailure.create({ type, message: 'what was seen' });
  const throughActivity = (cause: Error): ActivityFailure => new ActivityFailure('Activity task failed', 'planUpgradeOf', '1', RetryState.NON_RETRYABLE_FAILURE, 'worker', cause);

  for (const kind of Object.keys(FAILURES) as FailureKind[]) {
    it(`${kind} → ${FAILURES[kind].exitCode}, by name and with its next action`, () => {
      for (const error of [application(kind), failed(application(kind)), failed(throughActivity(application(kind)))]) {
        const exit = asExit(error);
        assert.equal(exit.code, FAILURES[kind].exitCode);
        assert.equal(exit.message, `${kind}: what was seen\n${FAILURES[kind].next}`);
      }
    });
  }

  it('an exit stays what it is', () => {
    const exit = new Exit(EXIT.held, 'held');
    assert.equal(asExit(exit), exit);
  });
  it('a server that does not answer is 6', () => assert.equal(asExit(new ServiceError('14 UNAVAILABLE')).code, EXIT.unreachable));
  it('a failure with no name of ours is a defect', () => assert.equal(asExit(failed(application('SomethingElse'))).code, EXIT.defect));
  it('any other error is a defect, with its stack', () => {
    const exit = asExit(new TypeError('x is not a function'));
    assert.equal(exit.code, EXIT.defect);
    assert.match(exit.message, /TypeError: x is not a function\n\s+at /);
  });
});

describe('how a followed run ends the command', () => {
  for (const [state, code] of [['done', 0], ['failed', 4], ['waiting', 4], ['aborted', 5], ['running', 0], ['paused', 0]] as const) {
    it(`${state} → ${code}`, () => assert.equal(exitOf(aRunStatus({ state })), code));
  }
});

describe('main', () => {
  let folder: string;
  const kept = { state: process.env['DRYDOCK_STATE_DIR'], config: process.env['DRYDOCK_CONFIG'] };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'drydock-main-'));
    process.env['DRYDOCK_STATE_DIR'] = join(folder, 'state');
    process.env['DRYDOCK_CONFIG'] = join(folder, 'none.yaml');
    writeFileSync(join(folder, 'list.json'), '[1, 2]');
    writeFileSync(join(folder, 'text.json'), 'Plan 123');
    writeFileSync(join(folder, 'broken.yaml'), 'cluster: prod\nkubeconfg: x\n');
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
    for (const [name, value] of [['DRYDOCK_STATE_DIR', kept.state], ['DRYDOCK_CONFIG', kept.config]] as const) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  const run = (...argv: string[]) => captured(() => main(argv.map((word) => word.replace('FOLDER', folder))));

  for (const [argv, code, says] of [
    [['--help'], 0, /Start here: drydock demo/],
    [['upgrade', '-h'], 0, /Examples:\n\s+drydock upgrade --to 1\.37/],
    [['nosuch'], 2, /unknown command 'nosuch'/],
    [['upgrad'], 2, /Did you mean upgrade/],
    [['status', '--nosuch'], 2, /unknown option '--nosuch'/],
    [['skip'], 2, /missing required argument 'node'/],
    [['plan', 'upgrade'], 2, /--to/],
    [['plan', 'downgrade', '--to', '1.37'], 2, /found "downgrade", wanted upgrade/],
    [['plan', 'upgrade', '--to', 'banana'], 2, /--to: found "banana", wanted a minor/],
    [['check', '--to', '1.x'], 2, /--to: found "1\.x"/],
    [['upgrade', '--yes'], 2, /--to: found ""/],
    [['upgrade', '--yes', '--to', '1.37', '--workers', 'fast'], 2, /--workers: found "fast", wanted rolling or all-at-once/],
    [['upgrade', '--yes', '--to', '1.37', '--max-unavailable', '0'], 2, /--max-unavailable: found "0"/],
    [['upgrade', 'FOLDER/none.json', '--yes'], 2, /none\.json is no saved plan: ENOENT/],
    [['upgrade', 'FOLDER/text.json', '--yes'], 2, /text\.json is no saved plan/],
    [['upgrade', 'FOLDER/list.json', '--yes'], 2, /cluster, to and digest are wanted/],
    [['status'], 2, /none\.yaml/],
    [['status', '--config', 'FOLDER/broken.yaml'], 2, /kubeconfg/],
    [['service', 'start'], 2, /found "start", wanted status, stop or logs/],
    [['init', '--kubeconfig', 'FOLDER/none.conf', '--output', 'FOLDER/new.yaml'], 2, /none\.conf does not exist/],
    [['init', '--kubeconfig', 'FOLDER/none.conf', '--output', 'FOLDER/new.yaml', '--port', '99999'], 2, /--port: found 99999/],
    [['init', '--output', 'FOLDER/list.json'], 2, /exists already/],
  ] as const) {
    it(`${argv.join(' ')} → ${code}`, async () => {
      const { value, stdout, stderr } = await run(...argv);
      assert.match(stdout + stderr, says);
      assert.equal(value, code, stderr);
      if (code !== 0) assert.equal(stdout, '', 'what is wrong belongs on standard error');
    });
  }

  it('service status without a service: both null in JSON, in words else, and nothing is started', async () => {
    const { value, stdout } = await run('service', 'status', '--json');
    assert.equal(value, 0);
    assert.deepEqual(JSON.parse(stdout), { server: null, worker: null });
    assert.equal((await run('service', 'status')).stdout, 'server  not running\nworker  not running\n');
    assert.deepEqual(JSON.parse((await run('service', 'stop', '--json')).stdout), { server: false, worker: false });
  });
});
