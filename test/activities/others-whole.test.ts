import assert from 'node:assert/strict';
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { ClusterIdentity } from '../../activities/cluster-identity.js';
import { StepFailure } from '../../activities/failure.js';
import { waitForOthers } from '../../activities/others-whole.js';
import { Clock } from '../support/clock.js';
import { aCluster, aNode } from '../support/cluster.js';
import { type Collection, FakeKube, status } from '../support/fake-kube.js';
import { FakeShell } from '../support/fake-shell.js';
import { aKubeNode, aPod } from '../support/kube-objects.js';

const cluster = aCluster({ nodes: [aNode('cp1'), aNode('cp2'), aNode('cp3'), aNode('w1')] });
const never = new AbortController().signal;
const NAMES = ['cp1', 'cp2', 'cp3'];

describe('waitForOthers', () => {
  let clock: Clock;
  let kube: FakeKube;
  let nodes: Collection<V1Node>;
  let pods: Collection<V1Pod>;
  const etcd = { down: [] as string[], learner: '', alarm: '', exit: 0 };
  const server = (node: string, over: { ready?: boolean; deletedAt?: string } = {}): V1Pod =>
    aPod(`kube-apiserver-${node}`, { namespace: 'kube-system', node, mirror: true, labels: { tier: 'control-plane', component: 'kube-apiserver' }, ...over });

  beforeEach(() => {
    clock = Clock.start();
    Object.assign(etcd, { down: [], learner: '', alarm: '', exit: 0 });
    kube = new FakeKube();
    nodes = kube.collection('/api/v1/nodes', [...NAMES, 'w1'].map((name) => aKubeNode(name)));
    pods = kube.collection('/api/v1/namespaces/kube-system/pods', NAMES.map((name) => server(name)));
  });
  afterEach(() => {
    clock.stop();
    kube.finish();
  });
  const url = (name: string): string => `https://${name}.test:2379`;
  const shell = (): FakeShell => new FakeShell()
    .on(/'member' 'list'/, () => ({ exitCode: etcd.exit, stderr: 'no etcd process', stdout: `{"members":[${NAMES.map((name, i) => `{"ID":1234567890123456789${i},"name":"${name}","isLearner":${name === etcd.learner},"clientURLs":["${url(name)}"]}`).join(',')}]}` }))
    .on(/'endpoint' 'status'/, () => ({ exitCode: etcd.down.length, stdout: `[${NAMES.filter((name) => !etcd.down.includes(name)).map((name) => `{"Endpoint":"${url(name)}","Status":{"header":{"member_id":12345678901234567890},"version":"3.6.8","dbSize":1,"leader":12345678901234567890}}`).join(',')}]\n` }))
    .on(/'endpoint' 'health'/, () => ({ exitCode: etcd.down.length, stderr: 'Error: unhealthy cluster', stdout: `[${NAMES.map((name) => `{"endpoint":"${url(name)}","health":${!etcd.down.includes(name)}}`).join(',')}]\n` }))
    .on(/'alarm' 'list'/, () => ({ stdout: etcd.alarm }));
  const kubeadm = (): void => {
    kube.on('GET', '/api/v1/namespaces/kube-system/configmaps/kubeadm-config', { data: { ClusterConfiguration: 'kubernetesVersion: v1.36.3\n' } });
  };
  const ask = (next = 'cp1', waitSeconds = 60) => clock.until(waitForOthers({ shell: shell(), kube }, cluster, { next, waitSeconds }, never, () => undefined));

  it('asks twice, some seconds apart', async () => {
    kubeadm();
    const { value, milliseconds } = await ask();
    assert.deepEqual(value, { whole: true, why: '' });
    assert.ok(milliseconds >= 5_000 && milliseconds < 6_000);
    assert.equal(kube.sent('GET', '/api/v1/nodes').length, 2);
  });

  for (const [what, change, why] of [
    ['NotReady', () => nodes.put(aKubeNode('cp2', { ready: false })), 'cp2 is not Ready'],
    ['cordoned by a person', () => nodes.put(aKubeNode('cp3', { unschedulable: true })), 'cp3 is cordoned'],
    ['gone', () => nodes.remove('uid-cp3'), 'the cluster has no node cp3'],
    ['API server not ready', () => pods.put(server('cp2', { ready: false })), 'the API server on cp2 is not ready'],
    ['API server being deleted', () => pods.put(server('cp2', { deletedAt: '2026-11-23T12:00:00Z' })), 'the API server on cp2 is not ready'],
  ] as const) {
    it(`waits, and says why at the end: ${what}`, async () => {
      change();
      const { value, milliseconds } = await ask();
      assert.deepEqual(value, { whole: false, why });
      assert.ok(milliseconds >= 60_000);
    });
  }

  for (const [what, change, why] of [
    ['a member down', () => (etcd.down = ['cp3']), 'etcd member cp3 is not healthy'],
    ['a learner', () => (etcd.learner = 'cp2'), 'cp2 joins etcd just now (a learner has no vote)'],
    ['an alarm', () => (etcd.alarm = 'memberID:12345678901234567891 alarm:NOSPACE\n'), 'etcd has the alarm NOSPACE on cp2'],
    ['no answer', () => (etcd.exit = 97), /etcd could not be asked/],
  ] as const) {
    it(`etcd counts: ${what}`, async () => {
      kubeadm();
      change();
      const { value } = await ask();
      assert.equal(value.whole, false);
      if (typeof why === 'string') assert.equal(value.why, why);
      else assert.match(value.why, why);
    });
  }

  it('the node itself may be down: it is tried again after a failure', async () => {
    kubeadm();
    nodes.put(aKubeNode('cp1', { ready: false, unschedulable: true }));
    etcd.down = ['cp1'];
    assert.equal((await ask()).value.whole, true);
  });

  it('goes on when the other node comes back', async () => {
    kubeadm();
    nodes.put(aKubeNode('cp2', { unschedulable: true }));
    const running = waitForOthers({ shell: shell(), kube }, cluster, { next: 'cp1', waitSeconds: 300 }, never, () => undefined);
    await clock.pass(60_000);
    nodes.put(aKubeNode('cp2'));
    assert.equal((await clock.until(running)).value.whole, true);
  });

  it('has nothing to ask with one control-plane node', async () => {
    assert.deepEqual(await waitForOthers({ shell: new FakeShell(), kube }, aCluster(), { next: 'cp1', waitSeconds: 60 }, never, () => undefined), { whole: true, why: '' });
  });
});

describe('ClusterIdentity', () => {
  const NAMESPACE = '/api/v1/namespaces/kube-system';
  const wrong = (error: unknown): boolean => error instanceof StepFailure && error.kind === 'WrongCluster' && /configuration of test now leads to another cluster/.test(error.message);

  it('refuses another cluster, asks once for many nodes, and not at all without a planned one', async () => {
    const kube = new FakeKube().on('GET', NAMESPACE, { metadata: { uid: 'this' } });
    const identity = new ClusterIdentity(kube);
    await identity.check(aCluster(), undefined, never);
    await Promise.all(Array.from({ length: 50 }, () => identity.check(aCluster(), 'this', never)));
    await identity.check(aCluster(), 'this', never);
    assert.equal(kube.requests.length, 1);
    await assert.rejects(identity.check(aCluster(), 'that', never), wrong);
  });

  it('asks again before it refuses: the configuration may have been put right', async () => {
    const kube = new FakeKube().on('GET', NAMESPACE, { metadata: { uid: 'other' } }, { metadata: { uid: 'this' } });
    const identity = new ClusterIdentity(kube);
    await assert.rejects(identity.check(aCluster(), 'this', never), wrong);
    await identity.check(aCluster(), 'this', never);
  });

  it('stops no step by SSH while the API server is away, and remembers what it said', async () => {
    const away = new StepFailure('ApiUnreachable', 'refused');
    await new ClusterIdentity(new FakeKube().on('GET', NAMESPACE, away)).check(aCluster(), 'this', never);
    await new ClusterIdentity(new FakeKube().on('GET', NAMESPACE, status(403, 'Forbidden', 'User "x" cannot get'))).check(aCluster(), 'this', never);
    const identity = new ClusterIdentity(new FakeKube().on('GET', NAMESPACE, { metadata: { uid: 'other' } }, away));
    await assert.rejects(identity.check(aCluster(), 'this', never), wrong);
    await assert.rejects(identity.check(aCluster(), 'this', never), wrong);
  });
});
