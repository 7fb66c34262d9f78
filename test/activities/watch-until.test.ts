import assert from 'node:assert/strict';
import type { V1Pod } from '@kubernetes/client-node';
import { watchUntil } from '../../activities/kube/watch-until.js';
import { Clock } from '../support/clock.js';
import { aCluster } from '../support/cluster.js';
import type { Collection} from '../support/fake-kube.js';
import { FakeKube, status } from '../support/fake-kube.js';
import { aPod } from '../support/kube-objects.js';

const PODS = '/api/v1/pods';

describe('watchUntil', () => {
  let clock: Clock;
  let kube: FakeKube;
  let pods: Collection<V1Pod>;
  const stop = { controller: new AbortController() };
  beforeEach(() => {
    clock = Clock.start();
    kube = new FakeKube();
    pods = kube.collection(PODS, [aPod('a')]);
    stop.controller = new AbortController();
  });
  afterEach(() => {
    clock.stop();
    kube.finish();
  });
  const names = (items: readonly V1Pod[]): string => items.map((pod) => pod.metadata?.name).sort().join(' ');
  const until = <R>(look: (items: readonly V1Pod[], wakeAt: (moment: number) => void) => Promise<R | undefined>, seconds = 60, onAway?: (why: string | undefined) => void): Promise<R | undefined> =>
    watchUntil<V1Pod, R>(kube, aCluster(), { path: PODS, query: {}, deadline: Date.now() + seconds * 1000, signal: stop.controller.signal, ...(onAway ? { onAway } : {}) }, look);

  it('sees what changes, adds and goes', async () => {
    const seen: string[] = [];
    const running = until((items) => {
      seen.push(names(items));
      return Promise.resolve(items.length === 0 ? 'empty' : undefined);
    });
    await clock.pass(100);
    pods.put(aPod('b'));
    await clock.pass(100);
    pods.remove('uid-a');
    await clock.pass(100);
    pods.remove('uid-b');
    assert.equal((await clock.until(running)).value, 'empty');
    assert.deepEqual(seen, ['a', 'a b', 'b', '']);
  });

  it('never looks twice at a time, and not in vain', async () => {
    let open = 0;
    let looks = 0;
    const running = until(async (items) => {
      assert.equal(++open, 1);
      looks++;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      open--;
      return items.length > 20 ? true : undefined;
    });
    for (let i = 0; i < 30; i++) {
      pods.put(aPod(`p${i}`));
      await clock.pass(50);
    }
    await clock.until(running);
    assert.ok(looks <= 4, `${looks} looks for 30 events`);
  });

  it('misses nothing between list and watch, nor when a watch ends', async () => {
    const running = until((items) => Promise.resolve(items.length >= 4 ? names(items) : undefined));
    pods.put(aPod('b'));
    await clock.pass(100);
    pods.endWatches('closed');
    pods.put(aPod('c'));
    await clock.pass(100);
    pods.endWatches('expired');
    pods.put(aPod('d'));
    assert.equal((await clock.until(running)).value, 'a b c d');
  });

  it('looks again when asked to, though nothing changed', async () => {
    const began = Date.now();
    const { value, milliseconds } = await clock.until(until((_items, wakeAt) => {
      if (Date.now() - began >= 7_000) return Promise.resolve('late');
      wakeAt(began + 7_000);
      return Promise.resolve(undefined);
    }));
    assert.equal(value, 'late');
    assert.ok(milliseconds <= 7_300, `${milliseconds} ms`);
  });

  it('answers undefined at the deadline, also while the server is away', async () => {
    assert.equal((await clock.until(until(() => Promise.resolve(undefined), 5))).value, undefined);
    kube.away();
    const { value, milliseconds } = await clock.until(until(() => Promise.resolve(undefined), 5));
    assert.equal(value, undefined);
    assert.ok(milliseconds <= 5_500);
  });

  it('tells when the server is away and when it is back, asking more and more seldom', async () => {
    const told: (string | undefined)[] = [];
    kube.away('refused');
    const running = until((items) => Promise.resolve(names(items)), 120, (why) => told.push(why));
    await clock.pass(60_000);
    const asked = kube.requests.length;
    assert.ok(asked > 5 && asked < 25, `${asked} requests in a minute`);
    kube.back();
    assert.equal((await clock.until(running)).value, 'a');
    assert.equal(told[0], 'refused');
    assert.equal(told.at(-1), undefined);
  });

  it('is not hurried by a server that closes every watch at once', async () => {
    const running = until(() => Promise.resolve(undefined), 60);
    running.catch(() => undefined);
    for (let i = 0; i < 200; i++) {
      pods.endWatches('closed');
      await clock.pass(100);
    }
    assert.ok(pods.lists < 15, `${pods.lists} lists in 20 s`);
    stop.controller.abort(new Error('enough'));
    await assert.rejects(clock.until(running), /enough/);
  });

  it('passes on what does not get better by waiting', async () => {
    kube.on('GET', PODS, status(403, 'Forbidden', 'no'));
    await assert.rejects(clock.until(until(() => Promise.resolve(undefined))), /no/);
  });

  it('leaves no watch behind: after an answer, after an error of look, after an abort', async () => {
    await clock.until(until(() => Promise.resolve(1)));
    await assert.rejects(clock.until(until(() => Promise.reject(new Error('look failed')))), /look failed/);
    const running = until(() => Promise.resolve(undefined));
    running.catch(() => undefined);
    await clock.pass(1_000);
    stop.controller.abort(new Error('cancelled'));
    await assert.rejects(clock.until(running), /cancelled/);
    assert.equal(pods.watching, 0);
  });
});
