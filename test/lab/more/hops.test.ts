import assert from 'node:assert/strict';
import { BudgetWatch } from '../../support/lab-budgets.js';
import { Drydock } from '../../support/lab-drydock.js';
import { note, secondsSince, sleep, until, useCluster } from '../../support/lab-run.js';
import { assertAllAt, assertPackages, assertRanOnce, assertSchedulable, assertSnapshot, completeness, databaseBirths, probeFigures, unwellPods } from '../../support/lab-upgraded.js';

/** Undisturbed upgrades: the next minor from an older one, a patch, and the newest minor for figures that no fault blurs. */
for (const { key, from, to } of [{ key: 'c', from: '1.35.4', to: '1.36.3' }, { key: 'd', from: '1.36.1', to: '1.36.3' }, { key: 'e', from: '1.36.3', to: '1.37.2' }]) {
  describe(`an undisturbed upgrade ${from} → ${to}`, function () {
    this.timeout(25 * 60_000);
    const lab = useCluster(key, { version: from, with: [to], workload: true });

    it('ends with everything at the version, nothing lost, each command run once and no budget violated', async () => {
      const cluster = lab();
      const drydock = new Drydock(cluster.config);
      const [births, before] = await Promise.all([databaseBirths(cluster), completeness(cluster)]);
      const budgets = new BudgetWatch(cluster);
      const since = Math.floor(Date.now() / 1000);
      const began = Date.now();
      const upgrade = await drydock.follow('upgrade', '--to', to, '--yes');
      try {
        assert.equal(await upgrade.end('the end of the upgrade', 1200), 0, upgrade.stderr);
      } finally {
        upgrade.stop();
        await budgets.stop();
      }
      note(`${from} → ${to}: ${secondsSince(began)} s`);
      const status = await drydock.status();
      assert.deepEqual([status.state, status.from, status.to], ['done', from, to]);
      await sleep(3_000);
      const { text, share, moments } = await probeFigures(cluster, since);
      note(`failed probes of all: ${text}`);
      note(budgets.summary());
      await assertAllAt(cluster, to);
      await assertPackages(cluster, to);
      await assertSchedulable(cluster);
      await assertRanOnce(cluster, status.run);
      assertSnapshot(cluster, status.run);
      assert.deepEqual(budgets.violations, []);
      await until('every pod ready', 120, async () => (await unwellPods(cluster)).length === 0);
      assert.deepEqual(await completeness(cluster), before);
      assert.deepEqual(await databaseBirths(cluster), births);
      assert.equal(share['web-a'], 0, `${text}\n${moments.join('\n')}`);
    });

    it('has nothing to do a second time, and refuses to go back', async () => {
      const drydock = new Drydock(lab().config);
      assert.match((await drydock.ends(0, 'upgrade', '--to', to, '--yes')).text, /Nothing to do/);
      assert.match((await drydock.ends(3, 'upgrade', '--to', from, '--yes')).text, /downgrade/);
    });
  });
}
