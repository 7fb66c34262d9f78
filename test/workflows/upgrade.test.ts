import assert from 'node:assert/strict';
import { type WorkflowHandle, WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { RunStatus } from '../../domain/status.js';
import { maintenanceId, nodeId, type OperatorSay, type Said, TASK_QUEUE, type UpdateName, type UpgradeInput, type UpgradeResult } from '../../workflows/messages.js';
import { aPlan, failing, planned, recordedActivities } from '../support/fake-activities.js';
import { needsTemporal, temporal, withWorker } from '../support/temporal.js';

let number = 0;
const newCluster = (): string => `c${process.pid}-${++number}`;

async function start(cluster: string, more: Partial<UpgradeInput> = {}): Promise<WorkflowHandle<(input: UpgradeInput) => Promise<UpgradeResult>>> {
  const { client } = await temporal();
  return client.workflow.start<(input: UpgradeInput) => Promise<UpgradeResult>>('upgradeCluster', {
    taskQueue: TASK_QUEUE, workflowId: maintenanceId(cluster), workflowIdConflictPolicy: 'FAIL', args: [{ cluster, to: '1.37', ...more }],
  });
}

const say = (handle: WorkflowHandle, update: UpdateName, more: Omit<OperatorSay, 'by'> = {}): Promise<Said> =>
  handle.executeUpdate<Said, [OperatorSay]>(update, { args: [{ by: 'tester', ...more }] });

/** Waits for evidence in the status, at most 20 s. */
async function until(handle: WorkflowHandle, seen: (status: RunStatus) => boolean): Promise<RunStatus> {
  let status: RunStatus | undefined;
  for (let i = 0; i < 200; i++) {
    status = await handle.query<RunStatus>('status');
    if (seen(status)) return status;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never seen; last status ${JSON.stringify(status)}`);
}
const node = (status: RunStatus, name: string) => status.nodes.find((candidate) => candidate.name === name);

const CHAIN = (name: string, kubeadm: string): string[] => [
  `prepareNode ${name}`, `cordonNode ${name}`, `drainNode ${name}`, `installPackages ${name} kubeadm-package`, `runKubeadmUpgrade ${name}`,
  `installPackages ${name} kubelet-package`, `restartKubelet ${name}`, `evictionWindowOf ${name}`, ...(kubeadm === 'apply' ? [`waitForControlPlane ${name}`] : []), `waitForNode ${name}`, `uncordonNode ${name}`,
];

describe('workflow upgradeCluster', function () {
  this.timeout(60_000);
  needsTemporal();

  it('takes the control plane first, then the workers one by one, each by the same chain', async () => {
    const cluster = newCluster();
    const { calls, activities } = recordedActivities(aPlan(cluster, [planned('cp1', 'control-plane'), planned('w1', 'worker'), planned('w2', 'worker')]));
    const result = await withWorker(activities, async () => (await start(cluster)).result());
    assert.equal(result.state, 'done');
    const ahead = ['prepareNode w1', 'prepareNode w2'];
    assert.deepEqual(calls.slice(0, 3), ['planUpgradeOf', 'workloadsOf', 'snapshotEtcd']);
    const rest = calls.slice(3);
    for (const call of ahead) rest.splice(rest.indexOf(call), 1);
    assert.deepEqual(rest, ['controlPlaneWhole', ...CHAIN('cp1', 'apply'), 'workersAway', ...CHAIN('w1', 'node'), 'workersAway', ...CHAIN('w2', 'node'), 'verifyUpgrade']);
    assert.equal(result.status.evictions, 9);
    assert.ok(result.status.nodes.every((each) => each.state === 'done'));
    assert.ok(result.status.steps.some((step) => step.node === 'w2' && step.step === 'drain'));
  });

  it('refuses bad input with all that is wrong', async () => {
    const cluster = newCluster();
    const { activities } = recordedActivities(aPlan(cluster, []));
    await withWorker(activities, async () => {
      const handle = await start(cluster, { to: 'newest', workers: 'quickly' as 'rolling' });
      await assert.rejects(handle.result(), (error: unknown) => {
        assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure);
        assert.equal(error.cause.type, 'InputInvalid');
        assert.match(error.cause.message, /to: found "newest".*workers: found "quickly"/);
        return true;
      });
    });
  });

  it('does not start at all when the plan is refused', async () => {
    const cluster = newCluster();
    const { calls, activities } = recordedActivities(aPlan(cluster, []), { planUpgradeOf: () => { throw failing('PlanRefused'); } });
    await withWorker(activities, async () => {
      await assert.rejects((await start(cluster)).result(), (error: unknown) => error instanceof WorkflowFailedError && (error.cause as ApplicationFailure).type === 'PlanRefused');
    });
    assert.deepEqual(calls, ['planUpgradeOf']);
  });

  it('lets one maintenance a cluster run', async () => {
    const cluster = newCluster();
    const { activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker')]), { runKubeadmUpgrade: () => { throw failing('CommandFailed'); } });
    await withWorker(activities, async () => {
      const handle = await start(cluster);
      await assert.rejects(start(cluster), /already/i);
      await until(handle, (status) => status.state === 'waiting');
      await say(handle, 'abort');
      await handle.result();
    });
  });

  it('stops a node at its first failure, starts no other, and goes on after retry with a new attempt', async () => {
    const cluster = newCluster();
    let broken = true;
    const { calls, activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker'), planned('w2', 'worker')]), {
      waitForNode: ({ node: name }) => {
        if (name === 'w1' && broken) throw failing('NodeNotReady', 'w1 is not Ready');
        return { passed: true, why: '' };
      },
    });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      const status = await until(handle, (now) => node(now, 'w1')?.state === 'waiting');
      assert.equal(status.state, 'waiting');
      assert.equal(node(status, 'w1')?.error?.kind, 'NodeNotReady');
      assert.match(status.waitingFor ?? '', /decision about w1/);
      assert.equal(node(status, 'w2')?.state, 'notStarted');
      broken = false;
      await say(handle, 'retry', { node: 'w1', why: 'repaired' });
      return handle.result();
    });
    assert.equal(result.state, 'done');
    assert.equal(calls.filter((call) => call === 'waitForNode w1').length, 2);
    assert.equal(calls.filter((call) => call === 'runKubeadmUpgrade w1').length, 1);
    assert.ok(result.status.events.some((event) => event.name === 'OperatorRetry' && /repaired/.test(event.message)));
  });

  it('runs a command again under a new attempt after an operator\'s retry, and once by itself after a reboot in the middle', async () => {
    const cluster = newCluster();
    const seen: number[] = [];
    const { activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker')]), {
      runKubeadmUpgrade: ({ attempt }) => {
        seen.push(attempt);
        if (attempt === 1) throw failing('StepInterrupted');
        if (attempt === 2) throw failing('CommandFailed');
        return undefined;
      },
    });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      await until(handle, (now) => node(now, 'w1')?.state === 'waiting');
      await say(handle, 'retry', { node: 'w1' });
      return handle.result();
    });
    assert.deepEqual(seen, [1, 2, 3]);
    assert.equal(result.state, 'done');
    assert.ok(result.status.events.some((event) => event.name === 'StepInterrupted'));
  });

  it('skips a node whose kubelet is being replaced without removing its cordon, goes on, and ends failed', async () => {
    const cluster = newCluster();
    const { calls, activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker'), planned('w2', 'worker')]), {
      waitForNode: ({ node: name }) => {
        if (name === 'w1') throw failing('NodeNotReady');
        return { passed: true, why: '' };
      },
    });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      await until(handle, (now) => node(now, 'w1')?.state === 'waiting');
      await assert.rejects(say(handle, 'skip', { node: 'w2' }), WorkflowUpdateFailedError);
      await say(handle, 'skip', { node: 'w1' });
      return handle.result();
    });
    assert.equal(result.state, 'failed');
    assert.deepEqual(result.status.nodes.map((each) => each.state), ['skipped', 'done']);
    assert.ok(!calls.includes('uncordonNode w1'));
    assert.ok(result.status.events.some((event) => event.name === 'NodeSkipped' && /cordon stays/.test(event.message)));
  });

  it('starts nothing else when a control-plane node is skipped', async () => {
    const cluster = newCluster();
    const { calls, activities } = recordedActivities(aPlan(cluster, [planned('cp1', 'control-plane'), planned('w1', 'worker')]), { runKubeadmUpgrade: () => { throw failing('CommandFailed'); } });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      await until(handle, (now) => node(now, 'cp1')?.state === 'waiting');
      await say(handle, 'skip', { node: 'cp1' });
      return handle.result();
    });
    assert.equal(result.state, 'failed');
    assert.deepEqual(result.status.nodes.map((each) => each.state), ['skipped', 'notStarted']);
    assert.ok(calls.includes('uncordonNode cp1'));
    assert.ok(!calls.includes('cordonNode w1'));
    assert.ok(result.status.events.some((event) => event.name === 'RestNotStarted'));
  });

  it('lets a terminated run\'s chain on a node finish, then begins its own', async () => {
    const cluster = newCluster();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let first = true;
    const { calls, activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker')]), {
      runKubeadmUpgrade: async () => {
        if (first) await held;
        first = false;
      },
    });
    const result = await withWorker(activities, async () => {
      const old = await start(cluster);
      await until(old, (now) => /kubeadm upgrade/.test(node(now, 'w1')?.step ?? ''));
      await old.terminate('test');
      const handle = await start(cluster);
      await until(handle, (now) => now.events.some((event) => event.name === 'NodeBusy'));
      release();
      return handle.result();
    });
    assert.equal(result.state, 'done');
    assert.equal(calls.filter((call) => call === 'uncordonNode w1').length, 2);
    const kubeadm = calls.map((call, i) => [call, i] as const).filter(([call]) => call === 'runKubeadmUpgrade w1').map(([, i]) => i);
    assert.ok(calls.indexOf('uncordonNode w1') < (kubeadm[1] ?? 0));
  });

  it('ends failed, and says so, when a node\'s own workflow is terminated by hand', async () => {
    const cluster = newCluster();
    const { activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker')]), { runKubeadmUpgrade: () => { throw failing('CommandFailed'); } });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      await until(handle, (now) => node(now, 'w1')?.state === 'waiting');
      const { client } = await temporal();
      await client.workflow.getHandle(nodeId(cluster, 'w1')).terminate('by hand');
      return handle.result();
    });
    assert.equal(result.state, 'failed');
    assert.equal(node(result.status, 'w1')?.state, 'failed');
  });

  it('keeps the number of a try whose command may still run, so that a retry attaches to it', async () => {
    const cluster = newCluster();
    const seen: number[] = [];
    const { activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker')]), {
      runKubeadmUpgrade: ({ attempt }) => {
        seen.push(attempt);
        if (seen.length === 1) throw failing('SshAuthentication');
        return undefined;
      },
    });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      await until(handle, (now) => node(now, 'w1')?.state === 'waiting');
      await say(handle, 'retry', { node: 'w1' });
      return handle.result();
    });
    assert.deepEqual(seen, [1, 1]);
    assert.equal(result.state, 'done');
  });

  it('does not lose an abort because the step under way then fails, and uncordons what kubeadm alone has touched', async () => {
    const cluster = newCluster();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { calls, activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker')]), { runKubeadmUpgrade: async () => { await held; throw failing('CommandFailed'); } });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      await until(handle, (now) => /kubeadm upgrade/.test(node(now, 'w1')?.step ?? ''));
      await say(handle, 'abort');
      release();
      return handle.result();
    });
    assert.equal(result.state, 'aborted');
    assert.equal(calls.at(-1), 'uncordonNode w1');
  });

  it('uncordons on abort during kubeadm: the kubelet was not touched yet', async () => {
    const cluster = newCluster();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { calls, activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker')]), { runKubeadmUpgrade: () => held });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      await until(handle, (now) => /kubeadm upgrade/.test(node(now, 'w1')?.step ?? ''));
      await say(handle, 'abort');
      release();
      return handle.result();
    });
    assert.equal(result.state, 'aborted');
    assert.equal(calls.at(-1), 'uncordonNode w1');
    assert.ok(!calls.includes('installPackages w1 kubelet-package'));
  });

  it('fetches ahead under a record of its own, and again in the node\'s chain when that failed', async () => {
    const cluster = newCluster();
    const attempts: number[] = [];
    const { activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker')]), {
      prepareNode: ({ attempt }) => {
        attempts.push(attempt);
        if (attempt === 0) throw failing('CommandFailed');
        return undefined;
      },
    });
    const result = await withWorker(activities, async () => (await start(cluster)).result());
    assert.equal(result.state, 'done');
    assert.deepEqual(attempts, [0, 1]);
  });

  it('starts a worker only while fewer than maxUnavailable are away, whoever took them away', async () => {
    const cluster = newCluster();
    let away = [{ name: 'w9', why: 'NotReady' }, { name: 'w2', why: 'cordoned before' }];
    const { calls, activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker'), planned('w2', 'worker', { keepCordon: true })]), { workersAway: () => ({ away }) });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      const status = await until(handle, (now) => /room to start w1/.test(now.waitingFor ?? ''));
      assert.match(status.waitingFor ?? '', /w9/);
      assert.doesNotMatch(status.waitingFor ?? '', /w2/);
      assert.ok(!calls.includes('cordonNode w1'));
      away = away.slice(1);
      return handle.result();
    });
    assert.equal(result.state, 'done');
  });

  it('starts no other node after one ended without a word', async () => {
    const cluster = newCluster();
    const { calls, activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker'), planned('w2', 'worker')]), { runKubeadmUpgrade: () => { throw failing('CommandFailed'); } });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      await until(handle, (now) => node(now, 'w1')?.state === 'waiting');
      const { client } = await temporal();
      await client.workflow.getHandle(nodeId(cluster, 'w1')).terminate('by hand');
      return handle.result();
    });
    assert.equal(result.state, 'failed');
    assert.ok(!calls.includes('cordonNode w2'));
  });

  it('takes a node\'s own cancel as an abort of that node', async () => {
    const cluster = newCluster();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { calls, activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker')]), { runKubeadmUpgrade: () => held });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      await until(handle, (now) => /kubeadm upgrade/.test(node(now, 'w1')?.step ?? ''));
      const { client } = await temporal();
      await client.workflow.getHandle(nodeId(cluster, 'w1')).cancel();
      await new Promise((resolve) => setTimeout(resolve, 500));
      release();
      return handle.result();
    });
    assert.equal(node(result.status, 'w1')?.state, 'aborted');
    assert.equal(result.state, 'failed');
    assert.equal(calls.at(-1), 'uncordonNode w1');
  });

  it('names what blocks a drain, and uncordons on abort when the kubelet is whole', async () => {
    const cluster = newCluster();
    const blocker = { pod: 'shop/web-1', node: 'w1', reason: 'budget web needs 3', budget: 'shop/web', since: '2026-01-01T00:00:00Z' };
    const { calls, activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker'), planned('w2', 'worker')]), {
      drainNode: async ({ known }) => {
        if (known.length > 0) await new Promise((resolve) => setTimeout(resolve, 300));
        return { drained: false, blockers: [blocker], evicted: 0, remaining: 1 };
      },
    });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      const status = await until(handle, (now) => now.blockers.length > 0);
      assert.deepEqual(status.blockers, [blocker]);
      assert.equal(status.state, 'waiting');
      assert.match(status.waitingFor ?? '', /shop\/web-1/);
      await assert.rejects(say(handle, 'retry', { node: 'w1' }), WorkflowUpdateFailedError);
      await say(handle, 'abort', { why: 'enough' });
      return handle.result();
    });
    assert.equal(result.state, 'aborted');
    assert.equal(calls.at(-1), 'uncordonNode w1');
    assert.ok(!calls.some((call) => call.startsWith('installPackages')));
    assert.deepEqual(result.status.nodes.map((each) => each.state), ['aborted', 'notStarted']);
  });

  it('holds every node before its next step while paused', async () => {
    const cluster = newCluster();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { calls, activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker')]), { drainNode: async () => { await held; return { drained: true, blockers: [], evicted: 0, remaining: 0 }; } });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      await until(handle, (now) => node(now, 'w1')?.step === 'drain');
      await say(handle, 'pause');
      await assert.rejects(say(handle, 'pause'), WorkflowUpdateFailedError);
      release();
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      assert.equal((await handle.query<RunStatus>('status')).state, 'paused');
      assert.ok(!calls.some((call) => call.startsWith('installPackages')));
      await say(handle, 'resume');
      return handle.result();
    });
    assert.equal(result.state, 'done');
  });

  it('is found by its cluster, whoever started it', async () => {
    const cluster = newCluster();
    const { activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker')]));
    const attributes = await withWorker(activities, async () => {
      const handle = await start(cluster);
      await handle.result();
      return (await handle.describe()).typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
    });
    const wanted = { DrydockCluster: cluster, DrydockOperation: 'upgrade', DrydockVersion: '1.37.2', DrydockState: 'done' };
    assert.deepEqual(Object.fromEntries(attributes.filter(([name]) => String(name).startsWith('Drydock'))), wanted);
  });

  it('waits for the approval of that very plan', async () => {
    const cluster = newCluster();
    const plan = aPlan(cluster, [planned('w1', 'worker')]);
    const { calls, activities } = recordedActivities(plan, { planUpgradeOf: () => ({ plan, approve: true }) });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      await until(handle, (now) => /approval/.test(now.waitingFor ?? ''));
      assert.deepEqual(calls, ['planUpgradeOf']);
      await assert.rejects(say(handle, 'approve', { digest: 'another' }), WorkflowUpdateFailedError);
      await say(handle, 'approve', { digest: plan.digest });
      return handle.result();
    });
    assert.equal(result.state, 'done');
  });

  it('takes Temporal\'s own cancel as an abort', async () => {
    const cluster = newCluster();
    const { activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker')]), { runKubeadmUpgrade: () => { throw failing('CommandFailed'); } });
    const result = await withWorker(activities, async () => {
      const handle = await start(cluster);
      await until(handle, (now) => now.state === 'waiting');
      await handle.cancel();
      return handle.result();
    });
    assert.equal(result.state, 'aborted');
  });

  it('tells when the eviction window of a node closes, and goes on waiting', async () => {
    const cluster = newCluster();
    const { activities } = recordedActivities(aPlan(cluster, [planned('w1', 'worker')]), {
      evictionWindowOf: () => ({ seconds: 350, firstPod: 'shop/web-1', why: 'because' }),
      waitForNode: ({ failAtEnd }) => ({ passed: failAtEnd, why: failAtEnd ? '' : 'not Ready' }),
    });
    const result = await withWorker(activities, async () => (await start(cluster)).result());
    assert.equal(result.state, 'done');
    assert.ok(result.status.events.some((event) => event.name === 'EvictionWindowClosed' && /shop\/web-1/.test(event.message)));
  });
});
