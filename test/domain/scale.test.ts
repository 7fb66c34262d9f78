import assert from 'node:assert/strict';
import { aBudget, aCluster, aPod } from '../support/facts.js';
import type { DrainPodFacts } from '../../domain/facts.js';

describe('a plan of a large cluster', () => {
  // With three control-plane nodes the most that one run carries.
  const NODES = 497;
  it(`of ${NODES} nodes and ${NODES * 10} pods is made whole`, function () {
    this.timeout(60_000);
    const pods: DrainPodFacts[] = [];
    for (let n = 1; n <= NODES; n++) for (let i = 0; i < 10; i++) pods.push(aPod(`app-${i}-${n}`, `w${n}`));
    const budgets = Array.from({ length: 10 }, (_, i) => aBudget(`app-${i}`, Object.fromEntries(pods.filter((p) => p.name.startsWith(`app-${i}-`)).map((p) => [p.name, p.node]))));
    const cluster = aCluster().withControlPlanes(3).withWorkers(NODES).withUpgrade({ maxUnavailable: '10%' }).withPods(...pods).withBudget(...budgets);
    const plan = cluster.plan('1.37');
    assert.equal(plan.hops[0]?.nodes.length, NODES + 3);
    assert.equal(plan.policy.maxUnavailable, 49);
  });
});
