import assert from 'node:assert/strict';
import type { ApiNodeFacts, ComponentFacts, EtcdMemberFacts } from '../../domain/facts.js';
import { etcdWhole, nodeBack, quorumOf, staticPodsBack, survivesLosingOne, workloadsBack } from '../../domain/health.js';
import { parseVersion } from '../../domain/version.js';
import { aCluster } from '../support/facts.js';

const target = parseVersion('1.37.2') ?? assert.fail();
const node = (change: Partial<ApiNodeFacts> = {}): ApiNodeFacts => ({ ...(aCluster().at('1.37.2').facts.nodes[0]?.api ?? assert.fail()), ...change });

describe('a node is back', () => {
  it('when it is Ready at the version', () => assert.equal(nodeBack(node(), target).healthy, true));
  const NOT: readonly (readonly [why: string, node: ApiNodeFacts | undefined, text: RegExp])[] = [
    ['it is not there', undefined, /no such node/],
    ['its kubelet is still the old one', node({ kubeletVersion: 'v1.36.3' }), /reports v1\.36\.3, wanted 1\.37\.2/],
    ['its kubelet says nothing', node({ kubeletVersion: '' }), /wanted 1\.37\.2/],
    ['it is not Ready', node({ ready: false, notReadyWhy: 'KubeletNotReady' }), /KubeletNotReady/],
    ['it is under pressure', node({ pressures: ['MemoryPressure'] }), /MemoryPressure/],
  ];
  for (const [why, given, text] of NOT) {
    it(`not when ${why}`, () => {
      const verdict = nodeBack(given, target);
      assert.equal(verdict.healthy, false);
      assert.match(verdict.why, text);
    });
  }
});

describe('static pods are back', () => {
  const components = (cluster = aCluster().at('1.37.2')): readonly ComponentFacts[] => (cluster.facts.components.known ? cluster.facts.components.value : []);
  it('when all three run the version and etcd is ready', () => assert.equal(staticPodsBack(components(), 'cp1', target).healthy, true));
  const NOT: readonly (readonly [why: string, components: readonly ComponentFacts[], text: RegExp])[] = [
    ['one is missing', components(aCluster().at('1.37.2').withoutComponent('kube-scheduler', 'cp1')), /kube-scheduler does not run on cp1/],
    ['one is old', components(aCluster().at('1.37.2').withComponent('kube-apiserver', 'cp1', { version: '1.36.3' })), /runs 1\.36\.3, wanted 1\.37\.2/],
    ['one has no version', components(aCluster().at('1.37.2').withComponent('kube-apiserver', 'cp1', { version: undefined, image: 'a@sha256:1' })), /runs a@sha256:1/],
    ['one is not ready', components(aCluster().at('1.37.2').withComponent('kube-apiserver', 'cp1', { ready: false })), /not ready/],
    ['etcd is not ready', components(aCluster().at('1.37.2').withComponent('etcd', 'cp1', { ready: false })), /etcd on cp1 is not ready/],
  ];
  for (const [why, given, text] of NOT) {
    it(`not when ${why}`, () => {
      const verdict = staticPodsBack(given, 'cp1', target);
      assert.equal(verdict.healthy, false);
      assert.match(verdict.why, text);
    });
  }
});

describe('etcd', () => {
  const members = (...healthy: readonly boolean[]): readonly EtcdMemberFacts[] => healthy.map((ok, i) => ({ name: `cp${i + 1}`, healthy: ok, learner: false, leader: i === 0, alarms: [] }));
  it('is whole when every voter is healthy and one leads', () => {
    assert.equal(etcdWhole(members(true, true, true)).healthy, true);
    assert.equal(etcdWhole(members(true)).why, '1 of 1 etcd members healthy');
    assert.equal(etcdWhole(members(true, false, true)).why, '2 of 3 etcd members healthy: cp2 is not');
    assert.equal(etcdWhole([]).healthy, false);
    assert.equal(etcdWhole(members(true).map((m) => ({ ...m, leader: false }))).why, '1 of 1 etcd members healthy, no leader');
    assert.equal(etcdWhole([...members(true), { name: 'l', healthy: false, learner: true, leader: false, alarms: [] }]).healthy, true, 'a learner has no vote');
  });

  /** members, healthy, majority, may one more go */
  const QUORUM: readonly (readonly [number, number, number, boolean])[] = [
    [1, 1, 1, true], [2, 2, 2, false], [3, 3, 2, true], [3, 2, 2, false], [4, 4, 3, true], [4, 3, 3, false], [5, 5, 3, true], [5, 4, 3, true], [5, 3, 3, false], [7, 5, 4, true],
  ];
  for (const [count, healthy, majority, may] of QUORUM) {
    it(`of ${count} with ${healthy} healthy ${may ? 'survives' : 'does not survive'} losing one`, () => {
      assert.equal(quorumOf(count), majority);
      assert.equal(survivesLosingOne(count, healthy), may);
    });
  }
});

describe('workloads are back', () => {
  const before = { 'Deployment shop/web': 3, 'Deployment shop/api': 2, 'StatefulSet shop/db': 0 };
  it('when as many pods are ready as before', () => assert.equal(workloadsBack(before, { ...before, 'Deployment shop/new': 0 }).healthy, true));
  it('when one of them was deleted on purpose', () => assert.equal(workloadsBack(before, { 'Deployment shop/web': 3 }).healthy, true));
  it('not when one has fewer', () => assert.deepEqual(workloadsBack(before, { ...before, 'Deployment shop/web': 2 }), { healthy: false, why: 'Deployment shop/web has 2 of 3 ready' }));
  it('with a short list of many', () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`Deployment a/${i}`, 1]));
    assert.match(workloadsBack(many, Object.fromEntries(Object.keys(many).map((k) => [k, 0]))).why, /and 4 more$/);
  });
});
