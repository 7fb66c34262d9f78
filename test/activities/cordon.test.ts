import assert from 'node:assert/strict';
import { cordon, uncordon } from '../../activities/cordon.js';
import { StepFailure } from '../../activities/failure.js';
import { kubeFailure } from '../../activities/kube/failure-of.js';
import { aCluster } from '../support/cluster.js';
import { FakeKube, status } from '../support/fake-kube.js';
import { aKubeNode } from '../support/kube-objects.js';

const NODE = '/api/v1/nodes/w1';

describe('cordon', () => {
  let kube: FakeKube;
  beforeEach(() => (kube = new FakeKube()));
  afterEach(() => kube.finish());
  const patches = () => kube.sent('PATCH').map(({ body }) => body);

  it('marks the node with the run, against the version that was read, and reads it back', async () => {
    kube.on('GET', NODE, aKubeNode('w1'), aKubeNode('w1', { unschedulable: true, cordonedBy: 'run-1' })).on('PATCH', NODE, {});
    assert.deepEqual(await cordon(kube, aCluster(), 'w1', 'run-1'), { ours: true });
    const [patch] = patches() as { metadata: { annotations: Record<string, string> } }[];
    assert.ok(Math.abs(Date.parse(patch?.metadata.annotations['drydock/cordoned-at'] ?? '') - Date.now()) < 60_000);
    delete patch?.metadata.annotations['drydock/cordoned-at'];
    assert.deepEqual(patches(), [{ metadata: { annotations: { 'drydock/cordoned-by': 'run-1' }, resourceVersion: '7' }, spec: { unschedulable: true } }]);
  });

  it("leaves an operator's cordon as it is", async () => {
    kube.on('GET', NODE, aKubeNode('w1', { unschedulable: true }));
    assert.deepEqual(await cordon(kube, aCluster(), 'w1', 'run-1'), { ours: false });
    assert.deepEqual(patches(), []);
  });

  it('takes over what a dead run left behind', async () => {
    kube.on('GET', NODE, aKubeNode('w1', { unschedulable: true, cordonedBy: 'run-0' }), aKubeNode('w1', { unschedulable: true, cordonedBy: 'run-1' })).on('PATCH', NODE, {});
    assert.deepEqual(await cordon(kube, aCluster(), 'w1', 'run-1'), { ours: true });
  });

  it('takes over a leftover whose taint came with it', async () => {
    const left = { unschedulable: true, cordonedBy: 'run-0', cordonedAt: '2026-11-23T10:00:00Z', taintedAt: '2026-11-23T10:00:03Z' };
    kube.on('GET', NODE, aKubeNode('w1', left), aKubeNode('w1', { ...left, cordonedBy: 'run-1' })).on('PATCH', NODE, {});
    assert.deepEqual(await cordon(kube, aCluster(), 'w1', 'run-1'), { ours: true });
  });

  it("an operator who uncordoned and cordoned again keeps the cordon; the old run's mark goes", async () => {
    kube.on('GET', NODE, aKubeNode('w1', { unschedulable: true, cordonedBy: 'run-0', cordonedAt: '2026-11-23T10:00:00Z', taintedAt: '2026-11-23T11:00:00Z' })).on('PATCH', NODE, {});
    assert.deepEqual(await cordon(kube, aCluster(), 'w1', 'run-1'), { ours: false });
    assert.deepEqual(patches(), [{ metadata: { annotations: { 'drydock/cordoned-by': null, 'drydock/cordoned-at': null }, resourceVersion: '7' }, spec: {} }]);
  });

  it('a stale mark on a schedulable node is written over', async () => {
    kube.on('GET', NODE, aKubeNode('w1', { cordonedBy: 'run-0' }), aKubeNode('w1', { unschedulable: true, cordonedBy: 'run-1' })).on('PATCH', NODE, {});
    assert.deepEqual(await cordon(kube, aCluster(), 'w1', 'run-1'), { ours: true });
  });

  it('writes nothing when it is done already (a second try after a kill)', async () => {
    kube.on('GET', NODE, aKubeNode('w1', { unschedulable: true, cordonedBy: 'run-1' }));
    assert.deepEqual(await cordon(kube, aCluster(), 'w1', 'run-1'), { ours: true });
    assert.deepEqual(patches(), []);
  });

  it('believes the node and not the answer: a cordon that did not take is tried again', async () => {
    kube.on('GET', NODE, aKubeNode('w1')).on('PATCH', NODE, {});
    await assert.rejects(cordon(kube, aCluster(), 'w1', 'run-1'), (error: unknown) => error instanceof StepFailure && error.kind === 'ApiUnreachable' && /unschedulable is false/.test(error.message));
  });

  it('never overwrites what a person did in between: a conflict is tried again, from a new read', async () => {
    kube.on('GET', NODE, aKubeNode('w1')).on('PATCH', NODE, status(409, 'Conflict', 'the object has been modified'));
    await assert.rejects(cordon(kube, aCluster(), 'w1', 'run-1'), (error: unknown) => kubeFailure(error, 'cordon').kind === 'ApiUnreachable');
  });

  it('says so when the cluster has no such node', async () => {
    kube.on('GET', NODE, status(404, 'NotFound', 'nodes "w1" not found'));
    await assert.rejects(cordon(kube, aCluster(), 'w1', 'run-1'), (error: unknown) => error instanceof StepFailure && error.kind === 'NodeNotFound');
  });

  it('says so when it may not', async () => {
    kube.on('GET', NODE, aKubeNode('w1')).on('PATCH', NODE, status(403, 'Forbidden', 'User "x" cannot patch resource "nodes"'));
    await assert.rejects(cordon(kube, aCluster(), 'w1', 'run-1'), (error: unknown) => kubeFailure(error, 'cordon').kind === 'ApiForbidden');
  });
});

describe('uncordon', () => {
  let kube: FakeKube;
  beforeEach(() => (kube = new FakeKube()));
  afterEach(() => kube.finish());

  it('takes our mark and the cordon away together, and reads back', async () => {
    kube.on('GET', NODE, aKubeNode('w1', { unschedulable: true, cordonedBy: 'run-1' }), aKubeNode('w1')).on('PATCH', NODE, {});
    assert.deepEqual(await uncordon(kube, aCluster(), 'w1'), { uncordoned: true });
    assert.deepEqual(kube.sent('PATCH')[0]?.body, { metadata: { annotations: { 'drydock/cordoned-by': null, 'drydock/cordoned-at': null }, resourceVersion: '7' }, spec: { unschedulable: null } });
  });

  it("leaves an operator's cordon", async () => {
    kube.on('GET', NODE, aKubeNode('w1', { unschedulable: true }));
    assert.deepEqual(await uncordon(kube, aCluster(), 'w1'), { uncordoned: false });
    assert.equal(kube.sent('PATCH').length, 0);
  });

  it('fails, to be tried again, while the node is still unschedulable', async () => {
    kube.on('GET', NODE, aKubeNode('w1', { unschedulable: true, cordonedBy: 'run-1' })).on('PATCH', NODE, {});
    await assert.rejects(uncordon(kube, aCluster(), 'w1'), (error: unknown) => error instanceof StepFailure && error.kind === 'ApiUnreachable');
  });

  it('meets a restarting API server as something that passes', async () => {
    kube.on('GET', NODE, aKubeNode('w1', { unschedulable: true, cordonedBy: 'run-1' })).on('PATCH', NODE, new StepFailure('ApiUnreachable', 'unexpected EOF'));
    await assert.rejects(uncordon(kube, aCluster(), 'w1'), (error: unknown) => error instanceof StepFailure && error.kind === 'ApiUnreachable');
  });
});
