import assert from 'node:assert/strict';
import { Client, Connection, ServiceError } from '@temporalio/client';
import type { Context } from '../../client/context.js';
import { EXIT, Exit } from '../../client/exit.js';
import { asExit, heldBy, makePlan, readStatus, startUpgrade } from '../../client/maintenance.js';
import { aPlan, planned, recordedActivities } from '../support/fake-activities.js';
import { needsTemporal, temporal, withWorker } from '../support/temporal.js';

const unreachable = (says: RegExp) => (error: unknown): boolean => {
  const exit = asExit(error);
  assert.match(exit.message, says);
  assert.equal(exit.code, EXIT.unreachable);
  return true;
};

describe('without a worker', function () {
  this.timeout(60_000);
  needsTemporal();
  let revived = 0;
  const contextOf = async (cluster: string, config: object): Promise<Context> => {
    const { client } = await temporal();
    revived = 0;
    const revive = (): Promise<void> => Promise.resolve(void (revived += 1));
    return { cluster, client, config, webUi: undefined, revive, close: () => Promise.resolve() } as unknown as Context;
  };
  const lasting = { temporal: { address: 'temporal:7233', namespace: 'default' } };

  it('a plan is not waited for longer than that: the embedded one is started again, then its log is named', async () => {
    const context = await contextOf('no-worker-1', {});
    await assert.rejects(makePlan(context, { cluster: context.cluster, to: '1.37' }, 2_000), unreachable(/embedded worker has not answered for 2 s.*drydock service logs/));
    assert.ok(revived > 0);
  });

  it('of a lasting server: it is said that none polls, and how to start one', async () => {
    const context = await contextOf('no-worker-2', lasting);
    await assert.rejects(makePlan(context, { cluster: context.cluster, to: '1.37' }, 2_000), unreachable(/No worker .*task queue drydock/));
  });

  it('a plan that takes long is waited for while its worker answers', async () => {
    const context = await contextOf('no-worker-3', lasting);
    const slow = recordedActivities(aPlan('no-worker-3', [planned('cp1', 'control-plane')]), {
      tryPlan: () => new Promise((resolve) => setTimeout(() => resolve({ plan: null, refusals: [], warnings: [] }), 3_500)),
    });
    assert.equal((await withWorker(slow.activities, () => makePlan(context, { cluster: context.cluster, to: '1.37' }, 1_500))).plan, null);
  });

  it('the status of an open maintenance cannot be read: 6, and what to do', async () => {
    const context = await contextOf('no-worker-4', lasting);
    const handle = await startUpgrade(context, { cluster: context.cluster, to: '1.37' });
    await assert.rejects(readStatus(context.client, context.cluster, 1_000), unreachable(/^No worker answers for no-worker-4: .*\n.*drydock worker/));
    await handle.terminate();
  });
});

describe('without a server', () => {
  it('any call ends as 6', async () => {
    const connection = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: 500 });
    const context = { cluster: 'prod', client: new Client({ connection }) } as unknown as Context;
    await assert.rejects(connection.withDeadline(Date.now() + 1_000, () => heldBy(context)), unreachable(/Temporal did not answer/));
    await connection.close();
  });
  it('an error of the transport itself is 6 too', () => {
    const raw = Object.assign(new Error('14 UNAVAILABLE: No connection established'), { code: 14, details: 'No connection established', metadata: {} });
    assert.equal(asExit(raw).code, EXIT.unreachable);
    assert.equal(asExit(new ServiceError('Failed to query', { cause: raw })).code, EXIT.unreachable);
    assert.ok(asExit(raw) instanceof Exit);
  });
});
