import assert from 'node:assert/strict';
import type { V1DaemonSet, V1Node, V1Pod } from '@kubernetes/client-node';
import { askApiServerOn, waitForControlPlane } from '../../activities/control-plane-gate.js';
import { type GateAnswer, type NodeGateInput, waitForNode } from '../../activities/node-gate.js';
import { Clock } from '../support/clock.js';
import { aCluster, aNode } from '../support/cluster.js';
import type { Collection} from '../support/fake-kube.js';
import { FakeKube, status } from '../support/fake-kube.js';
import { FakeShell } from '../support/fake-shell.js';
import { aKubeNode, aPod } from '../support/kube-objects.js';

const RESTARTED = '2026-11-23T12:00:00Z';
const at = (seconds: number): string => new Date(Date.parse(RESTARTED) + seconds * 1000).toISOString();

describe('waitForNode', () => {
  let clock: Clock;
  let kube: FakeKube;
  let nodes: Collection<V1Node>;
  let pods: Collection<V1Pod>;
  let sets: Collection<V1DaemonSet>;
  beforeEach(() => {
    clock = Clock.start(Date.parse(RESTARTED));
    kube = new FakeKube();
    nodes = kube.collection('/api/v1/nodes', [aKubeNode('w1', { version: '1.36.3', heartbeat: at(-20) }), aKubeNode('w2')]);
    sets = kube.collection('/apis/apps/v1/daemonsets', [] as V1DaemonSet[]);
    pods = kube.collection('/api/v1/pods', [aPod('kube-proxy-x', { namespace: 'kube-system', owner: 'DaemonSet/kube-proxy' })]);
  });
  afterEach(() => {
    clock.stop();
    kube.finish();
  });
  const gate = (over: Partial<NodeGateInput> = {}): Promise<GateAnswer> =>
    waitForNode(kube, aCluster(), { node: 'w1', version: '1.37.2', after: RESTARTED, steadySeconds: 30, waitSeconds: 300, ignorePods: [], ...over }, new AbortController().signal, () => undefined);
  const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/w1';
  const tens = (): string => new Date(Math.floor(Date.now() / 10_000) * 10_000).toISOString();
  const renews = (): void => {
    kube.on('GET', LEASE, () => ({ spec: { renewTime: tens() } }));
  };
  const good = (seconds: number): V1Node => aKubeNode('w1', { version: '1.37.2', heartbeat: at(seconds) });

  it('passes when the node has been Ready at the version for the whole steady time', async () => {
    renews();
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
    renews();
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
    renews();
    nodes.put(good(1));
    pods.put(aPod('broken', { namespace: 'kube-system', owner: 'DaemonSet/broken', ready: false }));
    assert.equal((await clock.until(gate({ ignorePods: ['kube-system/broken'] }))).value.passed, true);
  });

  it('a node that fell silent while it was called Ready does not pass', async () => {
    nodes.put(good(1));
    kube.on('GET', LEASE, { spec: { renewTime: at(1) } });
    const { value } = await clock.until(gate({ waitSeconds: 120 }));
    assert.equal(value.passed, false);
    kube.on('GET', LEASE, status(404, 'NotFound', 'no lease'));
    assert.match((await clock.until(gate({ waitSeconds: 40 }))).value.why, /has not renewed the node's lease/);
  });

  it('a DaemonSet that lacks its pod here counts; one for other nodes, or with room here, does not', async () => {
    renews();
    nodes.put(good(1));
    const aSet = (name: string, scheduled: number, nodeSelector?: Record<string, string>): V1DaemonSet =>
      ({ metadata: { name, namespace: 'kube-system', uid: name }, spec: { selector: {}, template: { spec: { containers: [], ...(nodeSelector ? { nodeSelector } : {}) } } }, status: { currentNumberScheduled: scheduled, desiredNumberScheduled: 3, numberMisscheduled: 0, numberReady: 2 } });
    sets.put(aSet('kube-proxy', 2));
    sets.put(aSet('gpu', 2, { gpu: 'yes' }));
    assert.equal((await clock.until(gate())).value.passed, true);
    sets.put(aSet('cni', 2));
    assert.equal((await clock.until(gate({ waitSeconds: 60 }))).value.why, 'DaemonSet kube-system/cni lacks its pod');
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
    renews();
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
  const gate = (waitSeconds = 300, over: { after?: string } = {}): Promise<GateAnswer> => waitForControlPlane({ kube }, aCluster(), { node: 'cp1', version: '1.37.2', steadySeconds: 30, waitSeconds, ...over }, new AbortController().signal, () => undefined);

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
    ['etcd that is missing', () => pods.remove('uid-etcd-cp1'), 'no etcd pod on the node'],
    ['a pod that is being deleted', () => pods.put({ ...component('kube-scheduler'), metadata: { ...component('kube-scheduler').metadata, deletionTimestamp: '2026-11-23T12:00:00Z' as unknown as Date } }), 'no kube-scheduler pod on the node'],
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

  it('believes the pods once the new kubelet has renewed the lease', async () => {
    kube.on('GET', '/readyz', 'ok');
    const began = Date.now();
    const after = new Date(began).toISOString();
    kube.on('GET', '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/cp1', () => ({ spec: { renewTime: new Date(Date.now() - began < 20_000 ? began + 2_000 : began + 20_000).toISOString() } }));
    assert.ok((await clock.until(gate(300, { after }))).milliseconds >= 49_500);
  });

  it("asks the node's own API server, on its own port", async () => {
    kube.on('GET', '/readyz', 'ok');
    const server = component('kube-apiserver');
    if (server.spec?.containers[0]) server.spec.containers[0].command = ['kube-apiserver', '--secure-port=7443', '--etcd-servers=https://10.0.0.9:2379'];
    pods.put(server);
    pods.remove('uid-etcd-cp1');
    const shell = new FakeShell().on(/readyz/, { exitCode: 7 }, { stdout: '500' }, { stdout: '200' });
    const askNode = (host: string, port: number) => askApiServerOn(shell, aCluster(), aNode('cp1'), host, port, new AbortController().signal);
    assert.match((await askNode('127.0.0.1', 6443)) ?? '', /cp1 is not ready: .* does not answer/);
    const { value } = await clock.until(waitForControlPlane({ kube, askNode }, aCluster(), { node: 'cp1', version: '1.37.2', steadySeconds: 30, waitSeconds: 300 }, new AbortController().signal, () => undefined));
    assert.equal(value.passed, true, 'external etcd has no pod here');
    assert.equal(shell.calls.at(-1)?.command.args.at(-1), 'https://127.0.0.1:7443/readyz');
  });
});
