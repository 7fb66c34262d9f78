import assert from 'node:assert/strict';
import type { V1Pod } from '@kubernetes/client-node';
import { type DrainInput, drainPass, type DrainReport } from '../../activities/drain.js';
import { StepFailure } from '../../activities/failure.js';
import type { KubeRequest } from '../../activities/ports/kube-api.js';
import type { Blocker } from '../../domain/status.js';
import { Clock } from '../support/clock.js';
import { aCluster } from '../support/cluster.js';
import type { Collection} from '../support/fake-kube.js';
import { FakeKube, status } from '../support/fake-kube.js';
import { aBudget, aPod } from '../support/kube-objects.js';

const PODS = '/api/v1/pods';
const BUDGETS = '/apis/policy/v1/poddisruptionbudgets';
const eviction = (name: string, namespace = 'shop'): string => `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
const refusedBy = (budget: string) =>
  status(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", [{ reason: 'DisruptionBudget', message: `The disruption budget ${budget} needs 2 healthy pods and has 2 currently` }], 10);
const secondsBetween = (requests: readonly { at: number }[]): number[] => requests.slice(1).map((request, i) => (request.at - (requests[i]?.at ?? 0)) / 1000);

describe('drainPass', () => {
  let clock: Clock;
  let kube: FakeKube;
  let pods: Collection<V1Pod>;
  let budgets: Collection<ReturnType<typeof aBudget>>;
  const abort = { controller: new AbortController() };

  beforeEach(() => {
    clock = Clock.start();
    kube = new FakeKube();
    budgets = kube.collection(BUDGETS, [] as ReturnType<typeof aBudget>[]);
    kube.collection('/apis/apps/v1/daemonsets', [{ metadata: { namespace: 'kube-system', name: 'kube-proxy', uid: 'ds' } }]);
    abort.controller = new AbortController();
  });
  afterEach(() => {
    clock.stop();
    kube.finish();
  });

  const world = (...items: V1Pod[]): void => {
    pods = kube.collection(PODS, items);
  };
  /** The kubelet's part: the pod goes away some time after its eviction was accepted. */
  const accepts = (name: string, afterMs = 500, namespace = 'shop'): void => {
    kube.on('POST', eviction(name, namespace), (request: KubeRequest) => {
      const { uid } = (request.body as { deleteOptions: { preconditions: { uid: string } } }).deleteOptions.preconditions;
      setTimeout(() => pods.remove(uid), afterMs);
      return { kind: 'Status', status: 'Success' };
    });
  };
  const begin = (over: Partial<DrainInput> = {}): Promise<DrainReport> => {
    const pass = drainPass(kube, aCluster(), { node: 'w1', rules: aCluster().drain, known: [], passSeconds: 60, ...over }, abort.controller.signal, () => undefined);
    pass.catch(() => undefined);
    return pass;
  };
  const drain = (over: Partial<DrainInput> = {}): Promise<{ value: DrainReport; milliseconds: number }> => clock.until(begin(over));
  const refusal = async (over: Partial<DrainInput> = {}): Promise<StepFailure> => {
    const error: unknown = await drain(over).then(() => assert.fail('it drained'), (reason: unknown) => reason);
    assert.ok(error instanceof StepFailure, String(error));
    assert.equal(error.kind, 'DrainRefused');
    return error;
  };

  it('evicts every pod once, by its uid, and ends as soon as the last is gone', async () => {
    world(aPod('a'), aPod('b'), aPod('elsewhere', { node: 'w2' }));
    accepts('a');
    accepts('b', 4_000);
    const { value, milliseconds } = await drain();
    assert.deepEqual(value, { drained: true, blockers: [], evicted: 2, remaining: 0 });
    assert.ok(milliseconds < 5_000, `${milliseconds} ms`);
    assert.deepEqual(kube.sent('POST').map(({ body }) => body), ['a', 'b'].map((name) => ({
      apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'shop' }, deleteOptions: { preconditions: { uid: `uid-${name}` } },
    })));
  });

  it('is over at once on an empty node', async () => {
    world();
    const { value } = await drain();
    assert.equal(value.drained, true);
    assert.equal(kube.sent('POST').length, 0);
  });

  it('shortens a long grace period to drain.maxGrace, and no other', async () => {
    world(aPod('long', { grace: 3600 }), aPod('short', { grace: 10 }));
    accepts('long');
    accepts('short');
    await drain({ rules: { ...aCluster().drain, maxGraceSeconds: 60 } });
    const grace = kube.sent('POST').map(({ body }) => (body as { deleteOptions: { gracePeriodSeconds?: number } }).deleteOptions.gracePeriodSeconds);
    assert.deepEqual(grace, [60, undefined]);
  });

  describe('what it leaves alone', () => {
    it('static pods, and pods of a DaemonSet that exists', async () => {
      world(aPod('kube-apiserver-w1', { namespace: 'kube-system', mirror: true, owner: 'Node/w1', ownerApi: 'v1' }), aPod('kube-proxy-x', { namespace: 'kube-system', owner: 'DaemonSet/kube-proxy' }));
      const { value } = await drain();
      assert.deepEqual(value, { drained: true, blockers: [], evicted: 0, remaining: 0 });
    });

    it('an orphan of a DaemonSet that is gone refuses the node, unless unmanaged pods may go', async () => {
      world(aPod('orphan', { owner: 'DaemonSet/gone' }), aPod('a'));
      assert.match((await refusal()).message, /shop\/orphan its DaemonSet gone does not exist any more/);
      assert.equal(kube.sent('POST').length, 0);
      accepts('orphan');
      accepts('a');
      assert.equal((await drain({ rules: { ...aCluster().drain, evictUnmanaged: true } })).value.evicted, 2);
    });

    it('a pod of a DaemonSet that was made after the drain began', async () => {
      const sets = kube.collection('/apis/apps/v1/daemonsets', [{ metadata: { namespace: 'shop', name: 'old', uid: 'old' } }]);
      world(aPod('a'));
      accepts('a', 5_000);
      const running = begin();
      await clock.pass(1_000);
      sets.put({ metadata: { namespace: 'shop', name: 'new', uid: 'new' } });
      pods.put(aPod('new-x', { owner: 'DaemonSet/new' }));
      assert.deepEqual((await clock.until(running)).value, { drained: true, blockers: [], evicted: 1, remaining: 0 });
    });

    it('a foreign kind that is called DaemonSet goes like any other', async () => {
      world(aPod('foreign', { owner: 'DaemonSet/kube-proxy', ownerApi: 'apps.example.org/v1', namespace: 'kube-system' }));
      accepts('foreign', 500, 'kube-system');
      assert.equal((await drain()).value.evicted, 1);
    });
  });

  describe('refuses before the first eviction', () => {
    it('bare pods and emptyDir data, all named', async () => {
      world(aPod('a'), aPod('bare', { owner: null }), aPod('scratch', { emptyDir: true }));
      const { message } = await refusal();
      assert.match(message, /shop\/bare has no controller/);
      assert.match(message, /shop\/scratch has emptyDir data/);
      assert.equal(kube.sent('POST').length, 0);
    });

    it('names five and counts the rest', async () => {
      world(...Array.from({ length: 8 }, (_, i) => aPod(`bare-${i}`, { owner: null })));
      assert.match((await refusal()).message, /bare-4 .*and 3 more\.$/);
    });

    it('but not for a finished pod, which holds nothing', async () => {
      world(aPod('job', { owner: null, emptyDir: true, phase: 'Succeeded' }));
      accepts('job');
      assert.equal((await drain()).value.drained, true);
    });
  });

  describe('budgets', () => {
    it('names the budget after 8 s, not before, and tries no oftener than every 5 s', async () => {
      world(aPod('a'));
      kube.on('POST', eviction('a'), refusedBy('web'));
      const { value, milliseconds } = await drain();
      assert.equal(value.drained, false);
      assert.equal(value.remaining, 1);
      const [blocker] = value.blockers;
      assert.equal(blocker?.pod, 'shop/a');
      assert.equal(blocker?.budget, 'shop/web');
      assert.match(blocker?.reason ?? '', /disruption budget web needs 2 healthy pods/);
      assert.ok(milliseconds >= 8_000 && milliseconds < 10_000, `${milliseconds} ms`);
    });

    it('holds the same blockers for a whole pass, keeps since, and calls more and more seldom', async () => {
      world(aPod('a'));
      kube.on('POST', eviction('a'), refusedBy('web'));
      const known: Blocker[] = [...(await drain()).value.blockers];
      const before = kube.sent('POST').length;
      const { value, milliseconds } = await drain({ known });
      assert.ok(milliseconds >= 60_000, `${milliseconds} ms`);
      assert.equal(value.blockers[0]?.since, known[0]?.since);
      const gaps = secondsBetween(kube.sent('POST').slice(before));
      assert.ok(gaps.every((gap) => gap >= 5 && gap <= 38), gaps.join(', '));
    });

    it('tries at once when the budget allows again', async () => {
      world(aPod('a'), aPod('b'));
      budgets.put(aBudget('web', 0));
      kube.on('POST', eviction('a'), refusedBy('web'));
      kube.on('POST', eviction('b'), refusedBy('web'));
      const known = (await drain()).value.blockers;
      const running = begin({ known });
      await clock.pass(20_000);
      const before = kube.sent('POST').length;
      accepts('a');
      const allowedAt = Date.now();
      budgets.put(aBudget('web', 1));
      const { value } = await clock.until(running);
      const tried = kube.sent('POST').slice(before);
      assert.deepEqual(tried.map(({ path }) => path), [eviction('a')], 'one disruption allowed, one try');
      assert.ok((tried[0]?.at ?? 0) - allowedAt <= 300);
      assert.deepEqual(value.blockers.map(({ pod }) => pod), ['shop/b'], 'the change of the set ends the pass');
    });

    it('two budgets on one pod (500) is a blocker with its cause, not an API that is away', async () => {
      world(aPod('a'));
      kube.on('POST', eviction('a'), status(500, 'InternalError', 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'));
      const { value } = await drain();
      assert.match(value.blockers[0]?.reason ?? '', /more than one PodDisruptionBudget/);
      assert.equal(value.blockers[0]?.budget, undefined);
      assert.equal(value.away, undefined);
    });

    it('429 without a budget as its cause is overload: tried again, never a blocker', async () => {
      world(aPod('a'));
      const busy = status(429, 'TooManyRequests', 'too many requests, please try again later', [], 1);
      let refused = 0;
      kube.on('POST', eviction('a'), (request: KubeRequest) => {
        if (refused++ < 6) return busy;
        pods.remove((request.body as { deleteOptions: { preconditions: { uid: string } } }).deleteOptions.preconditions.uid);
        return {};
      });
      const { value, milliseconds } = await drain();
      assert.deepEqual(value, { drained: true, blockers: [], evicted: 1, remaining: 0 });
      assert.ok(milliseconds > 11_000, 'it was refused for longer than what makes a blocker');
    });

    it('overload mixed with a budget: the budget is what counts', async () => {
      world(aPod('a'));
      let turn = 0;
      kube.on('POST', eviction('a'), () => (turn++ % 2 === 0 ? refusedBy('web') : status(429, 'TooManyRequests', 'slow down')));
      assert.equal((await drain()).value.blockers[0]?.budget, 'shop/web');
    });

    it('a pass that begins anew does not call again at once, and other words for the same budget are no change', async () => {
      world(aPod('a'));
      kube.on('POST', eviction('a'), refusedBy('web'));
      const known = (await drain()).value.blockers;
      const began = Date.now();
      const before = kube.sent('POST').length;
      kube.on('POST', eviction('a'), status(403, 'Forbidden', 'admission webhook denied, try 1'), status(403, 'Forbidden', 'admission webhook denied, try 2'));
      const other = (await drain({ known })).value.blockers;
      assert.ok((kube.sent('POST')[before]?.at ?? 0) - began >= 5_000);
      const { milliseconds } = await drain({ known: other });
      assert.ok(milliseconds >= 60_000, 'counts in the words are no change of the set');
    });

    it('obeys Retry-After, and overload does not unmake a blocker', async () => {
      world(aPod('a'));
      kube.on('POST', eviction('a'), refusedBy('web'));
      const known = (await drain()).value.blockers;
      const before = kube.sent('POST').length;
      kube.on('POST', eviction('a'), status(429, 'TooManyRequests', 'slow down', [], 20));
      const { value, milliseconds } = await drain({ known });
      assert.ok(milliseconds >= 60_000);
      assert.deepEqual(value.blockers, known);
      const gaps = secondsBetween(kube.sent('POST').slice(before));
      assert.ok(gaps.length >= 1 && gaps.every((gap) => gap >= 20), gaps.join(', '));
    });

    it('a budget that goes away while it blocks lets the pod go', async () => {
      world(aPod('a'));
      kube.on('POST', eviction('a'), refusedBy('web'));
      const known = (await drain()).value.blockers;
      accepts('a');
      assert.deepEqual((await drain({ known })).value.blockers, [], 'the change ends the pass');
      assert.equal((await drain()).value.drained, true);
    });
  });

  describe('other answers to an eviction', () => {
    it('404: the pod has gone by itself', async () => {
      world(aPod('a'));
      kube.on('POST', eviction('a'), () => {
        pods.remove('uid-a');
        return status(404, 'NotFound', 'pods "a" not found');
      });
      assert.deepEqual((await drain()).value, { drained: true, blockers: [], evicted: 0, remaining: 0 });
    });

    it("409 on the uid: a StatefulSet's pod came back elsewhere under its name, and is not touched", async () => {
      world(aPod('db-0', { owner: 'StatefulSet/db' }));
      kube.on('POST', eviction('db-0'), () => {
        pods.remove('uid-db-0');
        pods.put(aPod('db-0', { uid: 'uid-db-0-again', node: 'w2', owner: 'StatefulSet/db' }));
        return status(409, 'Conflict', 'the UID in the precondition (uid-db-0) does not match the UID in record (uid-db-0-again)');
      });
      const { value } = await drain();
      assert.equal(value.drained, true);
      assert.equal(kube.sent('POST').length, 1);
    });

    it('a pod that comes back on the same node is evicted again, as the new pod that it is', async () => {
      world(aPod('a'));
      kube.on('POST', eviction('a'), () => {
        pods.remove('uid-a');
        pods.put(aPod('a', { uid: 'uid-a2' }));
        accepts('a');
        return {};
      });
      assert.equal((await drain()).value.evicted, 2);
      assert.deepEqual(kube.sent('POST').map(({ body }) => (body as { deleteOptions: { preconditions: { uid: string } } }).deleteOptions.preconditions.uid), ['uid-a', 'uid-a2']);
    });

    it('a webhook that denies is named; when it allows, the drain ends', async () => {
      world(aPod('a'));
      kube.on('POST', eviction('a'), status(403, 'Forbidden', 'admission webhook "guard.example.org" denied the request: not today'));
      const { value } = await drain();
      assert.match(value.blockers[0]?.reason ?? '', /403 Forbidden.*guard\.example\.org.*not today/);
      accepts('a');
      assert.deepEqual((await drain({ known: value.blockers })).value.blockers, []);
      assert.equal((await drain()).value.drained, true);
    });

    it('403 because the namespace is going: tried again, not a blocker', async () => {
      world(aPod('a'));
      let tries = 0;
      kube.on('POST', eviction('a'), () => {
        if (++tries < 12) return status(403, 'Forbidden', 'namespace is terminating', [{ reason: 'NamespaceTerminating', message: '' }]);
        pods.remove('uid-a');
        return {};
      });
      assert.deepEqual((await drain()).value.blockers, []);
    });

    it('500 of a leader change: tried again', async () => {
      world(aPod('a'));
      let tries = 0;
      kube.on('POST', eviction('a'), () => {
        if (++tries < 3) return status(500, 'InternalError', 'etcdserver: leader changed');
        pods.remove('uid-a');
        return {};
      });
      assert.equal((await drain()).value.drained, true);
    });
  });

  describe('an API server that goes away', () => {
    it('in the middle is waited for, and no eviction that was accepted is sent again', async () => {
      world(aPod('a'), aPod('b'));
      accepts('a', 20_000);
      accepts('b', 1_000);
      const running = begin();
      await clock.pass(2_000);
      kube.away();
      await clock.pass(15_000);
      kube.back();
      const { value } = await clock.until(running);
      assert.equal(value.drained, true);
      assert.deepEqual(kube.sent('POST').map(({ path }) => path), [eviction('a'), eviction('b')]);
    });

    it('from the beginning: it says so at the end of the pass', async () => {
      world(aPod('a'));
      kube.away('connect ECONNREFUSED');
      const { value } = await drain({ passSeconds: 20 });
      assert.deepEqual(value, { drained: false, blockers: [], evicted: 0, remaining: -1, away: 'connect ECONNREFUSED' });
    });

    it('until the end of the pass: it says so, and what it knew stays known', async () => {
      world(aPod('a'));
      kube.on('POST', eviction('a'), refusedBy('web'));
      const known = (await drain()).value.blockers;
      const running = begin({ known });
      await clock.pass(1_000);
      kube.away('connect ECONNREFUSED 10.0.0.1:6443');
      const { value } = await clock.until(running);
      assert.equal(value.drained, false);
      assert.equal(value.away, 'connect ECONNREFUSED 10.0.0.1:6443');
      assert.deepEqual(value.blockers, known);
    });

    it('a watch that expires is begun anew and misses nothing', async () => {
      world(aPod('a'));
      accepts('a', 10_000);
      const running = begin();
      await clock.pass(1_000);
      pods.endWatches('expired');
      await clock.pass(1_000);
      pods.endWatches('closed');
      assert.equal((await clock.until(running)).value.drained, true);
      assert.ok(pods.lists >= 3);
    });
  });

  describe('pods that do not go', () => {
    it('a finalizer that holds a pod is named', async () => {
      world(aPod('a', { deletedAt: '2026-11-23T11:50:00Z', finalizers: ['example.org/hold'] }));
      const { value } = await drain();
      assert.match(value.blockers[0]?.reason ?? '', /held by finalizer example\.org\/hold/);
      assert.equal(kube.sent('POST').length, 0);
    });

    it('a pod past its grace period on a dead kubelet is named after half a minute', async () => {
      world(aPod('a', { deletedAt: '2026-11-23T12:00:10Z' }));
      const { value, milliseconds } = await drain();
      assert.match(value.blockers[0]?.reason ?? '', /kubelet has not ended it/);
      assert.ok(milliseconds >= 40_000 && milliseconds < 42_000, `${milliseconds} ms`);
    });
  });

  it('a pod that lands after the first list is evicted too', async () => {
    world(aPod('a'));
    accepts('a', 5_000);
    const running = begin();
    await clock.pass(1_000);
    accepts('late');
    pods.put(aPod('late'));
    assert.equal((await clock.until(running)).value.evicted, 2);
  });

  it('500 pods and more: all pages are read, ten evictions at a time', async () => {
    const names = Array.from({ length: 620 }, (_, i) => `p${i}`);
    world(...names.map((name) => aPod(name)));
    let open = 0;
    let most = 0;
    for (const name of names) {
      kube.on('POST', eviction(name), async () => {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setImmediate(resolve));
        open--;
        setTimeout(() => pods.remove(`uid-${name}`), 100);
        return {};
      });
    }
    const { value } = await drain();
    assert.equal(value.evicted, 620);
    assert.equal(most, 10);
  });

  it('is given up on abort', async () => {
    world(aPod('a'));
    kube.on('POST', eviction('a'), refusedBy('web'));
    const running = begin();
    await clock.pass(2_000);
    abort.controller.abort(new Error('cancelled'));
    await assert.rejects(clock.until(running));
  });
});
