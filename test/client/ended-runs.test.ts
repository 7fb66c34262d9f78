import assert from 'node:assert/strict';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Context } from '../../client/context.js';
import { EXIT, Exit } from '../../client/exit.js';
import { follow } from '../../client/follow.js';
import { readStatus, startUpgrade } from '../../client/maintenance.js';
import type { RunStatus } from '../../domain/status.js';
import { captured } from '../support/capture.js';
import { aPlan, failing, planned, recordedActivities } from '../support/fake-activities.js';
import { needsTemporal, temporal, withWorker } from '../support/temporal.js';

const plan = (cluster: string) => aPlan(cluster, [planned('cp1', 'control-plane'), planned('w1', 'worker')]);
let number = 0;

describe('a maintenance that ended without a result', function () {
  this.timeout(60_000);
  needsTemporal();

  /** Starts one with these activities; what the command line needs to speak with it. */
  async function running<T>(activities: object, test: (context: Context, handle: WorkflowHandle, client: Client) => Promise<T>): Promise<T> {
    const { client } = await temporal();
    const cluster = `ended-${(number += 1)}`;
    const context = { cluster, client, config: {}, webUi: undefined, revive: () => Promise.resolve(), close: () => Promise.resolve() } as unknown as Context;
    return withWorker(activities, async () => test(context, await startUpgrade(context, { cluster, to: '1.37.2' }), client));
  }
  const waiting = (cluster = 'any') => recordedActivities(plan(cluster), { snapshotEtcd: () => { throw failing('SnapshotFailed'); } }).activities;
  const untilWaiting = async (context: Context): Promise<RunStatus> => {
    for (;;) {
      const status = await readStatus(context.client, context.cluster);
      if (status?.state === 'waiting') return status;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const exits = (code: number, says: RegExp) => (error: unknown): boolean => {
    assert.ok(error instanceof Exit, String(error));
    assert.match(error.message, says);
    assert.equal(error.code, code);
    return true;
  };

  it('is told by its failure, not by its last state', async () => {
    const refused = recordedActivities(plan('any'), { planUpgradeOf: () => { throw failing('PlanRefused'); } }).activities;
    await running(refused, async (context, handle) => {
      await handle.result().catch(() => undefined);
      await assert.rejects(readStatus(context.client, context.cluster), exits(EXIT.refused, /^PlanRefused: /));
      await assert.rejects(captured(() => follow(context, false)), exits(EXIT.refused, /^PlanRefused: /));
    });
  });

  it('was terminated: 4, and that it was, and why', async () => {
    await running(waiting(), async (context, handle) => {
      await untilWaiting(context);
      await handle.terminate('by mistake');
      await assert.rejects(readStatus(context.client, context.cluster), exits(EXIT.decision, /was terminated in Temporal \(by mistake\)/));
      await assert.rejects(captured(() => follow(context, false)), exits(EXIT.decision, /was terminated/));
    });
  });

  it('waits, and is still open: its state is what it says', async () => {
    await running(waiting(), async (context, handle) => {
      assert.equal((await untilWaiting(context)).state, 'waiting');
      const { value, stderr } = await captured(() => follow(context, false));
      assert.equal(value, EXIT.decision, stderr);
      await handle.terminate();
    });
  });

  it('is noticed while it is followed', async () => {
    let release: () => void = () => undefined;
    const hanging = recordedActivities(plan('any'), { snapshotEtcd: () => new Promise<void>((resolve) => (release = resolve)) }).activities;
    await running(hanging, async (context, handle) => {
      setTimeout(() => void handle.terminate('enough'), 1_500);
      await assert.rejects(captured(() => follow(context, false)), exits(EXIT.decision, /was terminated in Temporal \(enough\)/));
      release();
    });
  });
});
