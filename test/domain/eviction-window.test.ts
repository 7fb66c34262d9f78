import assert from 'node:assert/strict';
import { defaultMonitorGraceSeconds, evictionWindow, explainPodEvictionTimeout, type WindowPod } from '../../domain/eviction-window.js';

const NOW = '2026-11-23T12:00:00Z';
const usual = (name: string): WindowPod => ({ name, notReadySeconds: 300, unreachableSeconds: 300 });

describe('the eviction window', () => {
  const ROWS: readonly (readonly [given: string, pods: readonly WindowPod[], grace: number, seconds: number | null, first: string | null])[] = [
    ['the defaults up to 1.31', [usual('a')], 40, 340, 'a'],
    ['the defaults from 1.32', [usual('a')], 50, 350, 'a'],
    ['the shortest toleration decides', [usual('a'), { name: 'b', notReadySeconds: 300, unreachableSeconds: 30 }, usual('c')], 50, 80, 'b'],
    ['not-ready alone may be the shorter', [{ name: 'b', notReadySeconds: 10, unreachableSeconds: 300 }], 50, 60, 'b'],
    ['a pod without the toleration leaves with the taint', [usual('a'), { name: 'b' }], 50, 50, 'b'],
    ['one of two tolerations missing', [{ name: 'b', notReadySeconds: 'forever' }], 50, 50, 'b'],
    ['one of two for ever', [{ name: 'b', notReadySeconds: 'forever', unreachableSeconds: 60 }], 50, 110, 'b'],
    ['a negative toleration is none', [{ name: 'b', notReadySeconds: -5, unreachableSeconds: 300 }], 50, 50, 'b'],
    ['for ever: nothing moves', [{ name: 'ds', notReadySeconds: 'forever', unreachableSeconds: 'forever' }], 50, null, null],
    ['static pods do not move', [{ name: 'etcd', mirror: true }], 50, null, null],
    ['finished pods do not count', [{ name: 'job', finished: true }], 50, null, null],
    ['no pods', [], 50, null, null],
  ];
  for (const [given, pods, nodeMonitorGraceSeconds, seconds, first] of ROWS) {
    it(given, () => {
      const window = evictionWindow({ pods, nodeMonitorGraceSeconds });
      assert.deepEqual([window.secondsToFirstEviction, window.firstPod], [seconds, first]);
      assert.ok(window.why.length > 0);
    });
  }

  it('has been running since the last heartbeat', () => {
    const at = (lastHeartbeat: string): number | null => evictionWindow({ pods: [usual('a')], nodeMonitorGraceSeconds: 50, lastHeartbeat, now: NOW }).secondsToFirstEviction;
    assert.equal(at('2026-11-23T11:59:20Z'), 310);
    assert.equal(at('2026-11-23T11:00:00Z'), 0);
    assert.equal(at('2026-11-23T12:01:00Z'), 350, 'a clock ahead of ours makes no window longer');
    assert.equal(at('never'), 350);
  });

  it('says what it is made of', () => {
    const { why } = evictionWindow({ pods: [usual('shop/web')], nodeMonitorGraceSeconds: 50, lastHeartbeat: '2026-11-23T11:59:50Z', now: NOW });
    assert.equal(why, '50 s grace period of the node, then 300 s toleration of shop/web, less 10 s since its last heartbeat');
  });

  it('knows the default grace period by version', () => {
    assert.deepEqual([10, 31, 32, 37].map((minor) => defaultMonitorGraceSeconds({ minor })), [40, 40, 50, 50]);
  });

  it('explains --pod-eviction-timeout by version', () => {
    assert.match(explainPodEvictionTimeout({ minor: 12 }), /decides when pods of a lost node are evicted, up to 1\.12/);
    assert.match(explainPodEvictionTimeout({ minor: 13 }), /no effect since 1\.13/);
    assert.match(explainPodEvictionTimeout({ minor: 26 }), /no effect since 1\.13/);
    assert.match(explainPodEvictionTimeout({ minor: 27 }), /removed in 1\.27, the controller manager does not start/);
  });
});
