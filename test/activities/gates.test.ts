import assert from 'node:assert/strict';
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { waitForControlPlane } from '../../activities/control-plane-gate.js';
import { type GateAnswer, type NodeGateInput, waitForNode } from '../../activities/node-gate.js';
import { Clock } from '../support/clock.js';
import { aCluster } from '../support/cluster.js';
import type { Collection} from '../support/fake-kube.js';
import { FakeKube, status } from '../support/fake-kube.js';
import { aKubeNode, aPod } from '../support/kube-objects.js';

const RESTARTED = '2026-11-23T12:00:00Z';
const at = (seconds: number): string => new Date(Date.parse(RESTARTED) + seconds * 1000).toISOString();

describe('waitForNode', () => {
  let clock: Clock;
  let kube: FakeKube;
  let nodes: Collection<V1Node>;
  let pods: Collection<V1Pod>;
  beforeEach(() => {
    clock = Clock.start(Date.parse(RESTARTED));
    kube = new FakeKube();
    nodes = kube.collection('/api/v1/nodes', [aKubeNode('w1', { version: '1.36.3', heartbeat: at(-20) }), aKubeNode('w2')]);
    pods = kube.collection('/api/v1/pods', [aPod('kube-proxy-x', { namespace: 'kube-system', owner: 'DaemonSet/kube-proxy' })]);
  });
  afterEach(() => {
    clock.stop();
    kube.finish();
  });
  const gate = (over: Partial<NodeGateInput> = {}): Promise<GateAnswer> =>
    waitForNode(kube, aCluster(), { node: 'w1', version: '1.37.2', after: RESTARTED, steadySeconds: 30, waitSeconds: 300, ignorePods: [], ...over }, new AbortController().signal, () => undefined);
  const good = (seconds: number): V1Node => aKubeNode('w1', { version: '1.37.2', heartbeat: at(seconds) });

  it('passes when the node has been Ready at the version for the whole steady time', async () => {
    const answer = gate();
    await clock.pass(3_000);
    nodes.put(good(3));
    const { value, milliseconds } = await clock.until(answer);
    assert.deepEqual(value, { passed: true, why: '' });
    assert.ok(milliseconds >= 29_500 && milliseconds < 32_500, `${milliseconds} ms after Ready`);
  });

  it('does not take a Ready that the old kubelet wrote', async () => {
    nodes.put(aKubeNode('w1', { version: '1.37.2', heartbeat: at(-5) }));
    const { value } = await clock.until(gate({ waitSeconds: 60 }));
    assert.deepEqual(value, { passed: false, why: 'Ready, but not renewed since the kubelet restarted' });
  });

  it('begins the steady time anew when the node was away in between', async () => {
    nodes.put(good(1));
    const answer = gate();
    await clock.pass(20_000);
    nodes.put(aKubeNode('w1', { version: '1.37.2', ready: false, heartbeat: at(20) }));
    await clock.pass(5_000);
    nodes.put(good(25));
    const { milliseconds } = await clock.until(answer);
    assert.ok(milliseconds >= 29_500, `${milliseconds} ms`);
  });

  it('wants the DaemonSet and static pods of the node ready, and no other', async () => {
    nodes.put(good(1));
    pods.put(aPod('kube-proxy-x', { namespace: 'kube-system', owner: 'DaemonSet/kube-proxy', ready: false }));
    pods.put(aPod('web-1', { ready: false }));
    const { value } = await clock.until(gate({ waitSeconds: 60 }));
    assert.equal(value.why, 'pods not ready on it: kube-system/kube-proxy-x');
  });

  it('holds nothing against the upgrade that was unwell before', async () => {
    nodes.put(good(1));
    pods.put(aPod('broken', { namespace: 'kube-system', owner: 'DaemonSet/broken', ready: false }));
    assert.equal((await clock.until(gate({ ignorePods: ['kube-system/broken'] }))).value.passed, true);
  });

  for (const [what, node, why] of [
    ['another version', aKubeNode('w1', { version: '1.36.3', heartbeat: at(5) }), 'the kubelet reports 1.36.3, wanted 1.37.2'],
    ['not Ready', aKubeNode('w1', { version: '1.37.2', ready: false, heartbeat: at(5) }), 'not Ready: KubeletNotReady'],
  ] as const) {
    it(`says why at the end of its time: ${what}`, async () => {
      nodes.put(node);
      assert.deepEqual((await clock.until(gate({ waitSeconds: 60 }))).value, { passed: false, why });
    });
  }

  it('says so when the node is gone', async () => {
    nodes.remove('uid-w1');
    assert.equal((await clock.until(gate({ waitSeconds: 20 }))).value.why, 'the cluster has no node w1');
  });

  it('waits through an API server that is away, and names that at the end', async () => {
    kube.away('connect ECONNREFUSED');
    assert.deepEqual((await clock.until(gate({ waitSeconds: 20 }))).value, { passed: false, why: 'connect ECONNREFUSED' });
    const answer = gate();
    await clock.pass(30_000);
    nodes.put(good(30));
    kube.back();
    assert.equal((await clock.until(answer)).value.passed, true);
  });
});

describe('waitForControlPlane', () => {
  const PODS = '/api/v1/namespaces/kube-system/pods';
  const COMPONENTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'];
  let clock: Clock;
  let kube: FakeKube;
  let pods: Collection<V1Pod>;
  const component = (name: string, shape: { version?: string; container?: string; ready?: boolean } = {}): V1Pod =>
    aPod(`${name}-cp1`, {
      namespace: 'kube-system', node: 'cp1', mirror: true, owner: 'Node/cp1', ownerApi: 'v1', labels: { tier: 'control-plane', component: name }, ready: shape.ready ?? true,
      image: `registry.k8s.io/${name}:v${shape.version ?? (name === 'etcd' ? '3.7.0-0' : '1.37.2')}`, containerId: `containerd://${shape.container ?? name}`,
    });
  beforeEach(() => {
    clock = Clock.start();
    kube = new FakeKube();
    pods = kube.collection(PODS, COMPONENTS.map((name) => component(name)));
  });
  afterEach(() => {
    clock.stop();
    kube.finish();
  });
  const gate = (waitSeconds = 300): Promise<GateAnswer> => waitForControlPlane(kube, aCluster(), { node: 'cp1', version: '1.37.2', steadySeconds: 30, waitSeconds }, new AbortController().signal, () => undefined);

  it('passes when the containers have been the same for the steady time', async () => {
    kube.on('GET', '/readyz', 'ok');
    const { value, milliseconds } = await clock.until(gate());
    assert.deepEqual(value, { passed: true, why: '' });
    assert.ok(milliseconds >= 30_000 && milliseconds < 32_000, `${milliseconds} ms`);
  });

  it('begins anew when the new kubelet restarts a static pod once more', async () => {
    kube.on('GET', '/readyz', 'ok');
    const answer = gate();
    await clock.pass(20_000);
    pods.put(component('etcd', { container: 'etcd-again' }));
    const { milliseconds } = await clock.until(answer);
    assert.ok(milliseconds >= 29_500, `${milliseconds} ms`);
  });

  it('begins anew when the API server behind it was not ready', async () => {
    let asked = 0;
    kube.on('GET', '/readyz', () => (++asked === 10 ? status(500, 'InternalError', '[-]etcd failed') : 'ok'));
    const { milliseconds } = await clock.until(gate());
    assert.ok(milliseconds >= 38_000, `${milliseconds} ms`);
  });

  for (const [what, change, why] of [
    ['an old component', () => pods.put(component('kube-scheduler', { version: '1.36.3' })), 'kube-scheduler runs 1.36.3, wanted 1.37.2'],
    ['a component that is missing', () => pods.remove('uid-kube-apiserver-cp1'), 'no kube-apiserver pod on the node'],
    ['etcd that is not ready', () => pods.put(component('etcd', { ready: false })), 'etcd-cp1 is not ready'],
  ] as const) {
    it(`says why at the end of its time: ${what}`, async () => {
      change();
      assert.deepEqual((await clock.until(gate(20))).value, { passed: false, why });
    });
  }

  it('waits through an API server that is away', async () => {
    kube.on('GET', '/readyz', 'ok');
    const answer = gate();
    await clock.pass(20_000);
    kube.away();
    await clock.pass(10_000);
    kube.back();
    const { value, milliseconds } = await clock.until(answer);
    assert.equal(value.passed, true);
    assert.ok(milliseconds >= 29_500, 'the steady time began anew');
  });
});
