import assert from 'node:assert/strict';
import { nodeMonitorGrace } from '../../activities/kube/kubeadm-facts.js';
import { lessReady, workloadBaseline } from '../../activities/workloads.js';
import type { KubeadmFacts } from '../../domain/facts.js';
import { aCluster } from '../support/cluster.js';
import { FakeKube } from '../support/fake-kube.js';

describe('lessReady', () => {
  const now = async (replicas: number, ready: number) => {
    const kube = new FakeKube();
    kube.collection('/apis/apps/v1/deployments', [{ metadata: { namespace: 'shop', name: 'web' }, spec: { replicas }, status: { readyReplicas: ready } }]);
    for (const path of ['/apis/apps/v1/statefulsets', '/apis/apps/v1/daemonsets', '/api/v1/pods']) kube.collection(path, []);
    return workloadBaseline(kube, aCluster(), new AbortController().signal);
  };

  it('counts what is wanted now: a workload scaled down meanwhile is no loss, one that lacks pods is', async () => {
    const before = await now(5, 5);
    assert.deepEqual(lessReady(before, await now(2, 2)), []);
    assert.deepEqual(lessReady(before, await now(2, 1)), ['Deployment shop/web has 1 of 2 ready']);
    assert.deepEqual(lessReady(before, await now(5, 4)), ['Deployment shop/web has 4 of 5 ready']);
    assert.deepEqual(lessReady({ ready: before.ready, unwellPods: [] }, await now(9, 5)), []);
  });
});

describe('nodeMonitorGrace', () => {
  const facts = (...controllerManager: string[]) => ({ extraArgs: { controllerManager } }) as unknown as KubeadmFacts;
  for (const [kubeadm, version, seconds] of [
    [facts('--node-monitor-grace-period=2m30s'), 'v1.37.2', 150], [facts('--node-monitor-grace-period=16s'), 'v1.30.1', 16], [facts('--v=2'), 'v1.31.0', 40], [undefined, 'v1.32.0', 50],
  ] as const) {
    it(`${kubeadm?.extraArgs['controllerManager']?.join(' ') ?? 'unknown'} at ${version}: ${seconds} s`, () => assert.equal(nodeMonitorGrace(kubeadm, version), seconds));
  }
});
