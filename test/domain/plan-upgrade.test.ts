import assert from 'node:assert/strict';
import type { Plan, PlannedNode } from '../../domain/plan.js';
import { estimateSeconds, planUpgrade } from '../../domain/plan-upgrade.js';
import { aBudget, aCluster, aPod, type ClusterBuilder } from '../support/facts.js';

const nodes = (plan: Plan): readonly PlannedNode[] => plan.hops.flatMap((hop) => hop.nodes);
const named = (plan: Plan, name: string): PlannedNode => nodes(plan).find((n) => n.name === name) ?? assert.fail(name);
/** `cp1 apply drain, w1 node drain`, done ones in brackets. */
const told = (plan: Plan): string => nodes(plan).map((n) => (n.done ? `(${n.name})` : `${n.name} ${n.kubeadm}${n.drain ? ' drain' : ''}`)).join(', ');

describe('the plan of an upgrade', () => {
  it('is all of this', () => {
    const plan = aCluster().withWorkers(1).plan('1.37');
    assert.deepEqual({ ...plan, digest: plan.digest.length }, {
      cluster: 'demo', clusterUid: 'uid-1', from: '1.36.3', to: '1.37.2', digest: 12, warnings: [], estimateSeconds: 210,
      policy: { workers: 'rolling', maxUnavailable: 1 },
      hops: [{
        from: '1.36.3', to: '1.37.2', minor: '1.37',
        nodes: [
          { name: 'cp1', role: 'control-plane', from: '1.36.3', to: '1.37.2', packages: { kubeadm: '1.37.2-1.1', kubelet: '1.37.2-1.1', kubectl: '1.37.2-1.1' }, kubeadm: 'apply', drain: true, keepCordon: false, pods: 0, budgets: [], done: false },
          { name: 'w1', role: 'worker', from: '1.36.3', to: '1.37.2', packages: { kubeadm: '1.37.2-1.1', kubelet: '1.37.2-1.1', kubectl: '1.37.2-1.1' }, kubeadm: 'node', drain: true, keepCordon: false, pods: 0, budgets: [], done: false },
        ],
      }],
    });
  });

  const ORDER: readonly (readonly [given: string, cluster: ClusterBuilder, wanted: string])[] = [
    ['one control plane and workers', aCluster(), 'cp1 apply drain, w1 node drain, w2 node drain'],
    ['three control planes', aCluster().withControlPlanes(3).withWorkers(1), 'cp1 apply drain, cp2 node drain, cp3 node drain, w1 node drain'],
    ['numbers as people count them', aCluster().withWorkers(11), `cp1 apply drain, ${Array.from({ length: 11 }, (_, i) => `w${i + 1} node drain`).join(', ')}`],
    ['an order of one\'s own', aCluster().withControlPlanes(3).withUpgrade({ order: ['w2', 'cp3'] }), 'cp3 apply drain, cp1 node drain, cp2 node drain, w2 node drain, w1 node drain'],
    ['no workers', aCluster().withWorkers(0), 'cp1 apply drain'],
    ['a downtime window', aCluster().withUpgrade({ workers: 'all-at-once' }), 'cp1 apply drain, w1 node, w2 node'],
    ['a downtime window with drains', aCluster().withUpgrade({ workers: 'all-at-once', drainAllAtOnce: true }), 'cp1 apply drain, w1 node drain, w2 node drain'],
    ['a hop half done', aCluster().withControlPlanes(3).withDone('cp1', '1.37.2').withKubeadm({ version: '1.37.2' }), '(cp1), cp2 node drain, cp3 node drain, w1 node drain, w2 node drain'],
    ['static pods done, kubelet not', aCluster().withControlPlaneAt('cp1', '1.37.2').withKubeadm({ version: '1.37.2' }), 'cp1 apply drain, w1 node drain, w2 node drain'],
    ['all of it done but kubeadm-config', aCluster().withDone('cp1', '1.37.2').withFacts({ apiServer: { known: true, value: '1.37.2' } }), 'cp1 apply drain, w1 node drain, w2 node drain'],
    ['a package ahead of its running kubelet', aCluster().at('1.37.2').offering('1.37.2').withHost('w1', { packages: { kubeadm: '1.37.2-1.1', kubelet: '1.36.3-1.1', held: [], audit: [] } }), '(cp1), w1 node drain, (w2)'],
    ['everything done', aCluster().at('1.37.2').offering('1.37.2'), '(cp1), (w1), (w2)'],
  ];
  for (const [given, cluster, wanted] of ORDER) {
    it(`of ${given}`, () => assert.equal(told(cluster.plan('1.37.2')), wanted));
  }

  it('of a patch', () => {
    const plan = aCluster().offering('1.36.4').plan('1.36');
    assert.deepEqual([plan.from, plan.to, plan.hops.map((hop) => hop.minor)], ['1.36.3', '1.36.4', ['1.36']]);
  });
  it('of what is there already: nothing to do, in no time', () => {
    const plan = aCluster().at('1.37.2').offering('1.37.2').plan('1.37');
    assert.deepEqual([plan.from, plan.to, plan.estimateSeconds], ['1.37.2', '1.37.2', 0]);
  });
  it('of the next minor, when asked for that', () => assert.equal(aCluster().plan('next').to, '1.37.2'));
  it('there is none above the newest minor, and nothing wrong with that', () => {
    const { facts, spec } = aCluster().at('1.37.2');
    assert.deepEqual(planUpgrade(facts, { to: 'next', spec }), { planned: false, refusals: [], warnings: [] });
  });

  it('takes the newest revision, or the one insisted on', () => {
    const cluster = aCluster().offering('1.37.2-2.1', '1.37.2-1.1');
    assert.equal(named(cluster.plan(), 'w1').packages.kubelet, '1.37.2-2.1');
    assert.equal(named(cluster.withSpec({ packages: { repository: 'https://x/', revision: '1.1' } }).plan(), 'w1').packages.kubelet, '1.37.2-1.1');
  });

  it('keeps the cordon of others, not our own left-over one', () => {
    const plan = aCluster().withCordoned('w1').withCordoned('w2', 'run-7').plan();
    assert.deepEqual([named(plan, 'w1').keepCordon, named(plan, 'w2').keepCordon], [true, false]);
  });

  it('counts the pods that a drain moves', () => {
    const plan = aCluster().withPods(aPod('a', 'w1'), aPod('b', 'w1'), aPod('ds', 'w1', { daemonSet: true }), aPod('static', 'w1', { mirror: true }), aPod('c', 'w2')).plan();
    assert.deepEqual(nodes(plan).map((n) => n.pods), [0, 2, 1]);
  });

  it('names the budgets that bind on a node', () => {
    const cluster = aCluster().withPods(aPod('a', 'w1'), aPod('b', 'w1'), aPod('c', 'w2'), aPod('d', 'w2'))
      .withBudget(aBudget('tight', { a: 'w1', b: 'w1' }), aBudget('loose', { c: 'w2' }, { disruptionsAllowed: 2, expectedPods: 9 }), aBudget('shut', { d: 'w2' }, { disruptionsAllowed: 0 }));
    assert.deepEqual(nodes(cluster.plan()).map((n) => n.budgets), [[], ['shop/tight'], ['shop/shut']]);
  });

  const AWAY: readonly (readonly [workers: 'rolling' | 'all-at-once', maxUnavailable: string, of: number, wanted: number])[] = [
    ['rolling', '1', 5, 1], ['rolling', '10%', 5, 1], ['rolling', '50%', 3, 1], ['rolling', '100%', 4, 4], ['all-at-once', '1', 5, 10],
  ];
  for (const [workers, maxUnavailable, of, wanted] of AWAY) {
    it(`lets ${wanted} of ${of} workers be away with ${workers} and ${maxUnavailable}`, () => {
      assert.equal(aCluster().withWorkers(of).withUpgrade({ workers, maxUnavailable }).plan().policy.maxUnavailable, wanted);
    });
  }

  it('estimates control planes one by one and workers in waves', () => {
    const plan = aCluster().withControlPlanes(3).withWorkers(4).withUpgrade({ maxUnavailable: '2' }).withPods(aPod('a', 'w1'), aPod('b', 'w1')).plan();
    assert.equal(plan.estimateSeconds, 3 * 180 + 32 + 30);
    assert.equal(estimateSeconds([], { workers: 'rolling', maxUnavailable: 1 }), 0);
  });
});

describe('the digest of a plan', () => {
  const digest = (cluster: ClusterBuilder, to = '1.37'): string => cluster.plan(to).digest;
  const plain = digest(aCluster());

  it('is the same for the same work', () => {
    assert.equal(digest(aCluster()), plain);
    assert.match(plain, /^[0-9a-f]{12}$/);
  });
  it('does not change with what changes by itself', () => {
    assert.equal(digest(aCluster().withPods(aPod('a', 'w1'))), plain, 'pods');
    assert.equal(digest(aCluster().withBudget(aBudget('b', { a: 'w1' }))), plain, 'budgets');
    assert.equal(digest(aCluster().withHost('w1', { rebootRequired: true })), plain, 'warnings');
    assert.equal(digest(aCluster().withFacts({ takenAt: '2026-11-24T00:00:00.000Z' })), plain, 'time');
  });
  const OTHER: readonly (readonly [what: string, cluster: ClusterBuilder, to?: string])[] = [
    ['another patch', aCluster().offering('1.37.1'), '1.37'],
    ['another revision', aCluster().offering('1.37.2-2.1'), '1.37'],
    ['another node', aCluster().withWorkers(3)],
    ['another order', aCluster().withUpgrade({ order: ['w2'] })],
    ['another strategy', aCluster().withUpgrade({ workers: 'all-at-once' })],
    ['another pace', aCluster().withUpgrade({ maxUnavailable: '2' })],
    ['a node that is done', aCluster().withFacts({ apiServer: { known: true, value: '1.37.2' } }).withDone('cp1', '1.37.2').withKubeadm({ version: '1.37.2' })],
    ['a cordon to keep', aCluster().withCordoned('w1')],
    ['another cluster of the same name', aCluster().withFacts({ clusterUid: { known: true, value: 'uid-2' } })],
  ];
  for (const [what, cluster, to] of OTHER) {
    it(`changes with ${what}`, () => assert.notEqual(digest(cluster, to), plain));
  }
});
