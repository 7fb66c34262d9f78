import assert from 'node:assert/strict';
import { drainDecision, type DrainPod, type DrainRules, isSamePod, podVerdict } from '../../domain/drain-rules.js';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

const pod = (change: Partial<DrainPod> = {}): DrainPod => ({
  namespace: 'shop', name: 'web', uid: 'u1', nodeName: 'w1', phase: 'Running', mirror: false, emptyDir: false,
  controller: { kind: 'ReplicaSet', name: 'web', apiVersion: 'apps/v1' }, ...change,
});
const daemonSet = { kind: 'DaemonSet', name: 'agent', apiVersion: 'apps/v1' };
const SAFE: DrainRules = { deleteEmptyDirData: false, evictUnmanaged: false };
const ALL: DrainRules = { deleteEmptyDirData: true, evictUnmanaged: true };

/** As `kubectl drain` decides: reference kubernetes/kubectl pkg/drain/filters.go. */
const ROWS: readonly (readonly [given: string, pod: DrainPod, rules: DrainRules, verdict: string])[] = [
  ['a pod with a controller', pod(), SAFE, 'evict plain'],
  ['deleting for long, option off', pod({ deletionTimestamp: ago(999) }), SAFE, 'evict plain'],
  ['deleting for longer than the option', pod({ deletionTimestamp: ago(61) }), { ...SAFE, skipDeletingAfterSeconds: 60 }, 'skip deleting'],
  ['deleting for less than the option', pod({ deletionTimestamp: ago(59) }), { ...SAFE, skipDeletingAfterSeconds: 60 }, 'evict plain'],
  ['deleting for long and of no controller: the first verdict wins', pod({ deletionTimestamp: ago(61), controller: undefined }), { ...SAFE, skipDeletingAfterSeconds: 60 }, 'skip deleting'],
  ['of a DaemonSet', pod({ controller: daemonSet, daemonSetExists: true }), ALL, 'skip daemon-set'],
  ['of a DaemonSet, not ignored', pod({ controller: daemonSet, daemonSetExists: true }), { ...ALL, ignoreDaemonSets: false }, 'refuse daemon-set'],
  ['of a DaemonSet, with emptyDir', pod({ controller: daemonSet, daemonSetExists: true, emptyDir: true }), SAFE, 'skip daemon-set'],
  ['of a DaemonSet that is gone', pod({ controller: daemonSet, daemonSetExists: false }), SAFE, 'refuse daemon-set'],
  ['of a DaemonSet that is gone, allowed', pod({ controller: daemonSet, daemonSetExists: false }), ALL, 'evict daemon-set'],
  ['of a DaemonSet nobody looked up', pod({ controller: daemonSet }), ALL, 'refuse daemon-set'],
  ['of a DaemonSet, finished', pod({ controller: daemonSet, daemonSetExists: true, phase: 'Failed' }), SAFE, 'evict plain'],
  ['of a foreign kind called DaemonSet', pod({ controller: { ...daemonSet, apiVersion: 'apps.kruise.io/v1alpha1' } }), SAFE, 'evict plain'],
  ['static', pod({ mirror: true, controller: { kind: 'Node', name: 'w1', apiVersion: 'v1' } }), SAFE, 'skip mirror'],
  ['static, with emptyDir and no controller', pod({ mirror: true, emptyDir: true, controller: undefined }), SAFE, 'skip mirror'],
  ['with emptyDir', pod({ emptyDir: true }), SAFE, 'refuse empty-dir'],
  ['with emptyDir, allowed', pod({ emptyDir: true }), ALL, 'evict empty-dir'],
  ['with emptyDir, finished', pod({ emptyDir: true, phase: 'Succeeded' }), SAFE, 'evict plain'],
  ['without controller', pod({ controller: undefined }), SAFE, 'refuse unmanaged'],
  ['without controller, allowed', pod({ controller: undefined }), ALL, 'evict unmanaged'],
  ['without controller, finished', pod({ controller: undefined, phase: 'Failed' }), SAFE, 'evict plain'],
  ['without controller, with emptyDir: emptyDir is asked first', pod({ controller: undefined, emptyDir: true }), SAFE, 'refuse empty-dir'],
  ['pending on the node', pod({ phase: 'Pending' }), SAFE, 'evict plain'],
];

describe('drain rules', () => {
  for (const [given, given_, rules, wanted] of ROWS) {
    it(`${given}: ${wanted}`, () => {
      const { verdict, rule, reason } = podVerdict(given_, rules, NOW);
      assert.equal(`${verdict} ${rule}`, wanted);
      assert.ok(reason.length > 0);
    });
  }

  it('keeps every warning of a pod that goes', () => {
    assert.equal(podVerdict(pod({ controller: undefined, emptyDir: true }), ALL, NOW).reason, 'its emptyDir data is lost; has no controller and does not come back');
  });

  it('asks the caller\'s own filters last', () => {
    const veto = (): { verdict: 'skip'; rule: 'extra'; reason: string } => ({ verdict: 'skip', rule: 'extra', reason: 'by label' });
    assert.equal(podVerdict(pod(), ALL, NOW, [veto]).rule, 'extra');
    assert.equal(podVerdict(pod({ emptyDir: true }), SAFE, NOW, [veto]).rule, 'empty-dir');
  });

  it('decides for the whole node', () => {
    const decision = drainDecision([pod(), pod({ name: 'ds', controller: daemonSet, daemonSetExists: true }), pod({ name: 'bare', controller: undefined })], SAFE, NOW);
    assert.deepEqual([decision.evict, decision.skip, decision.refuse].map((list) => list.map((d) => d.pod.name)), [['web'], ['ds'], ['bare']]);
  });

  it('knows a pod by uid and node, never by name', () => {
    assert.ok(isSamePod(pod(), pod({ name: 'other' })));
    assert.ok(!isSamePod(pod(), pod({ uid: 'u2' })));
    assert.ok(!isSamePod(pod(), pod({ nodeName: 'w2' })));
  });
});
