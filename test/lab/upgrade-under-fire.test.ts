import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { RunStatus } from '../../domain/status.js';
import { BudgetWatch } from '../support/lab-budgets.js';
import { Drydock } from '../support/lab-drydock.js';
import { cutSsh, type Kill, killAndWait, median, temporalOf } from '../support/lab-faults.js';
import { note, secondsSince, sleep, until, useCluster } from '../support/lab-run.js';
import { assertAllAt, assertFitsSchema, assertPackages, assertRanOnce, assertSchedulable, assertSnapshot, completeness, databaseBirths, firstControlPlane, packageChanges, probeFigures, unwellPods, workersOf } from '../support/lab-upgraded.js';

const TO = '1.37.2';
const WORKER_KILLS = 10;
const SERVER_KILLS = 2;
const CUT_SECONDS = 15;

/** One upgrade, with everything thrown at it; each test then looks at one side of what is left. */
describe('an upgrade 1.36.3 → 1.37.2 while worker and server are killed and ssh is cut', function () {
  this.timeout(25 * 60_000);
  const lab = useCluster('b', { version: '1.36.3', with: [TO], workload: true });
  const evidence: { births: string[]; before: string[]; since: number; kills: Kill[]; cuts: string[]; budgets?: BudgetWatch; seen: RunStatus[] } = { births: [], before: [], since: 0, kills: [], cuts: [], seen: [] };
  let drydock: Drydock;
  let final: RunStatus;

  it('ends by itself with exit code 0, after ten kills of the worker, two of the server, and ssh cut at three steps', async () => {
    const cluster = lab();
    drydock = new Drydock(cluster.config);
    [evidence.births, evidence.before] = await Promise.all([databaseBirths(cluster), completeness(cluster)]);
    evidence.since = Math.floor(Date.now() / 1000);
    evidence.budgets = new BudgetWatch(cluster);
    const began = Date.now();
    const upgrade = await drydock.follow('upgrade', '--to', TO, '--yes');
    try {
      await upgrade.until('the first node at work', 180, (status) => status.nodes.some(({ state }) => state === 'running'));
      const [first = '', second = ''] = workersOf(cluster);
      const cuts = Promise.all([
        cutSsh(cluster, upgrade, firstControlPlane(cluster), /^kubeadm upgrade apply/, CUT_SECONDS),
        cutSsh(cluster, upgrade, first, /^kubeadm package|^kubeadm upgrade node/, CUT_SECONDS),
        cutSsh(cluster, upgrade, second, /^(kubelet package|kubelet restart|kubeadm upgrade node)/, CUT_SECONDS),
      ]);
      cuts.catch(() => undefined);
      const temporal = await temporalOf(drydock);
      try {
        const doing = (): string => upgrade.last?.nodes.filter(({ state }) => state === 'running').map(({ name, step }) => `${name} "${step}"`).join(', ') || (upgrade.last?.step ?? '');
        for (let i = 0; i < WORKER_KILLS + SERVER_KILLS; i++) {
          // Half of them hit the control plane, half the workers, whose steps are short.
          const early = i < (WORKER_KILLS + SERVER_KILLS) / 2;
          if (!early) await upgrade.until('a worker at work', 600, (status) => status.nodes.some(({ role, state: at }) => role === 'worker' && at !== 'notStarted'));
          await sleep(early ? 3_000 + Math.random() * 12_000 : 500 + Math.random() * 5_000);
          assert.equal(upgrade.code, undefined, `the upgrade ended before all kills: ${evidence.kills.length} done`);
          evidence.kills.push(await killAndWait(drydock, cluster, temporal.client, i === 3 || i === 9 ? 'server' : 'worker', doing()));
        }
      } finally {
        await temporal.close();
      }
      assert.equal(await upgrade.end('the end of the upgrade', 900), 0, upgrade.stderr);
      evidence.cuts = await cuts;
    } finally {
      upgrade.stop();
      await evidence.budgets.stop();
      evidence.seen = upgrade.seen;
    }
    final = await drydock.status();
    const seconds = (what: Kill['what']): number[] => evidence.kills.filter((kill) => kill.what === what).map((kill) => kill.seconds);
    note(`upgrade under fire: ${secondsSince(began)} s, ${final.evictions} evictions`);
    note(`kill -9 of the worker → progress: median ${median(seconds('worker')).toFixed(1)} s, longest ${Math.max(...seconds('worker'))} s; of the server: ${seconds('server').join(' and ')} s`);
    assert.equal(evidence.kills.length, WORKER_KILLS + SERVER_KILLS);
    assert.equal(evidence.cuts.length, 3);
    assert.equal(final.state, 'done');
  });

  it('brought every node and component to the version', () => assertAllAt(lab(), TO));

  it('ran each disruptive command exactly once on each node, by the journal, the records and dpkg', async () => {
    await assertRanOnce(lab(), final.run);
    for (const { name } of lab().nodes) assert.deepEqual(await packageChanges(lab(), name), { kubeadm: 1, kubelet: 1, kubectl: 1 }, name);
  });

  it('violated no budget at any time, watched from outside', () => {
    const { budgets } = evidence;
    note(budgets?.summary() ?? '');
    assert.deepEqual(budgets?.violations, []);
    assert.deepEqual([...(budgets?.logs.keys() ?? [])].sort(), ['db', 'web-a', 'web-b', 'web-c']);
    assert.ok((budgets?.rounds ?? 0) > 100);
  });

  it('lost no pod and no data', async () => {
    await until('every pod ready', 120, async () => (await unwellPods(lab())).length === 0);
    assert.deepEqual(await completeness(lab()), evidence.before);
    assert.deepEqual(await databaseBirths(lab()), evidence.births);
  });

  it('failed nearly no request', async () => {
    await sleep(3_000);
    const { text, share, moments } = await probeFigures(lab(), evidence.since);
    note(`failed probes of all: ${text}`);
    // The only API server is away for a minute or two; what can be seen of the services then is for the failure's reader.
    const told = `${text}\n${moments.filter((line) => !/ api /.test(line)).join('\n')}\n${final.steps.map(({ node, step, startedAt, seconds }) => `${startedAt.slice(11, 19)} ${node ?? ''} ${step} ${seconds} s`).join('\n')}`;
    // A probe fails when it takes more than a second, which on a busy machine happens without any upgrade.
    assert.ok((share['web-a'] ?? 1) <= 0.002, told);
    assert.ok((share['web-b'] ?? 1) <= 0.02 && (share['dns'] ?? 1) <= 0.02, told);
  });

  it('left nodes schedulable and packages held at the version', async () => {
    await assertSchedulable(lab());
    await assertPackages(lab(), TO);
  });

  it('left a snapshot in the backup folder with the sha256 that its metadata says', () => assertSnapshot(lab(), final.run));

  it('told its status by the published schema all the time', () => {
    for (const status of [...evidence.seen, final]) assertFitsSchema('status', status);
    assert.ok(evidence.seen.length > 10);
    assert.ok(final.nodes.every(({ state, step, error }) => state === 'done' && step === 'done' && error === null), JSON.stringify(final.nodes));
  });

  it('kept the worker small', async () => {
    const pid = (await drydock.service()).worker?.pid;
    const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
    note(`worker: at most ${Math.round(peak)} MiB resident`);
    assert.ok(peak < 400, `${peak} MiB`);
  });
});
