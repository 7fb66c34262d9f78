import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { labSsh, pauseNode, unpauseNode } from '../../../lab/index.js';
import { Drydock, type Following, nodeOf } from '../../support/lab-drydock.js';
import { isCordoned, KubeReader, packagesOf, recordsOf } from '../../support/lab-kube.js';
import { note, secondsSince, sleep, until, useCluster } from '../../support/lab-run.js';
import { firstControlPlane, workersOf } from '../../support/lab-upgraded.js';

const FROM = '1.36.3';
const TO = '1.37.2';

/** One upgrade, told as it happens: each test is the next part of it. */
describe('an upgrade with pauses, a node that restarts in the middle of kubeadm, an API server that is away, and an abort between steps', function () {
  this.timeout(20 * 60_000);
  const lab = useCluster('f', { version: FROM, with: [TO], workload: true });
  const drydock = (): Drydock => new Drydock(lab().config);
  let following: Following;
  let control = '';
  let first = '';
  let second = '';
  let failed = false;

  before(() => {
    control = firstControlPlane(lab());
    [first = '', second = ''] = workersOf(lab());
  });
  beforeEach(function () {
    if (failed) this.skip();
  });
  afterEach(function () {
    failed ||= this.currentTest?.state === 'failed';
  });
  after(() => following?.stop());

  it('holds before the next step while paused, says who paused it, and goes on after resume', async () => {
    following = await drydock().follow('upgrade', '--to', TO, '--yes');
    await following.until('the first node at work', 120, (now) => nodeOf(now, control).state === 'running');
    await drydock().ends(0, 'pause', '--why', 'lunch');
    assert.match((await drydock().ends(2, 'pause')).text, /paused already/);
    await sleep(15_000);
    const held = await drydock().status();
    await sleep(10_000);
    const later = await drydock().status();
    assert.deepEqual([held.state, later.state], ['paused', 'paused']);
    assert.deepEqual(later.nodes, held.nodes, 'nothing moves while paused');
    assert.ok(later.events.some(({ name, message }) => name === 'OperatorPause' && /alice@desk: lunch/.test(message)));
    await drydock().ends(0, 'resume');
    await following.until('kubeadm upgrade apply', 180, (now) => nodeOf(now, control).step === 'kubeadm upgrade apply');
  });

  it('runs kubeadm again by itself when the node restarts in the middle of it, and ends right', async () => {
    await sleep(20_000);
    const { run } = await drydock().status();
    const began = Date.now();
    await labSsh(lab(), control, 'systemd-run --quiet --collect --on-active=1 systemctl reboot --force --force');
    const status = await following.until(`${control} done`, 900, (now) => nodeOf(now, control).state === 'done');
    note(`restarted in the middle of kubeadm: done ${secondsSince(began)} s later`);
    assert.ok(status.events.some(({ name, node }) => name === 'StepInterrupted' && node === control), JSON.stringify(status.events));
    const { records } = await recordsOf(lab(), control, run);
    const applies = records.filter(({ name }) => name.startsWith('kubeadm-upgrade-apply'));
    assert.deepEqual(applies.map(({ name, code }) => [name, code]), [['kubeadm-upgrade-apply', undefined], ['kubeadm-upgrade-apply.2', 0]]);
    assert.notEqual(applies[0]?.boot, applies[1]?.boot);
  });

  it('waits for an API server that is away for a minute in the middle of a drain, and goes on', async () => {
    await following.until(`${first} being drained`, 180, (now) => /^drain/.test(nodeOf(now, first).step));
    await pauseNode(lab(), control);
    const began = Date.now();
    try {
      await sleep(60_000);
    } finally {
      await unpauseNode(lab(), control);
    }
    await following.until(`${first} done`, 300, (now) => nodeOf(now, first).state === 'done');
    note(`API server away for a minute: ${first} done ${secondsSince(began)} s after it went`);
  });

  it('aborts between steps with exit code 5: the node is schedulable, the rest as it was', async () => {
    await following.until(`${second} at work`, 120, (now) => nodeOf(now, second).state === 'running');
    await drydock().ends(0, 'pause');
    await until('the pause to hold', 120, async () => {
      const now = nodeOf(await drydock().status(), second);
      await sleep(5_000);
      return nodeOf(await drydock().status(), second).step === now.step;
    });
    await drydock().ends(5, 'abort', '--why', 'enough for tonight');
    assert.equal(await following.end('the end of the first terminal', 30), 5);
    const status = await drydock().status();
    assert.deepEqual(status.nodes.map(({ name, state }) => [name, state]), [[control, 'done'], [first, 'done'], [second, 'aborted']]);
    const kube = new KubeReader(lab());
    assert.deepEqual((await kube.nodes()).filter(isCordoned).map((node) => node.metadata?.name), []);
    kube.close();
    assert.ok((await packagesOf(lab(), second)).versions['kubelet']?.startsWith(`${FROM}-`));
  });

  it('finishes what was left in a new run', async () => {
    await drydock().ends(0, 'upgrade', '--to', TO, '--yes');
    const status = await drydock().status();
    assert.equal(status.state, 'done');
    assert.deepEqual(status.steps.filter(({ node, step }) => step === 'kubelet restart' && node !== undefined).map(({ node }) => node), [second]);
  });
});

describe('a kubeconfig of another cluster', function () {
  this.timeout(10 * 60_000);
  const lab = useCluster('f', { version: FROM, with: [TO], workload: true });
  const other = useCluster('g', { version: FROM, controlPlanes: 1, workers: 0, beside: true });

  it('is refused with exit code 3 before anything changes, and named', async () => {
    const file = parse(readFileSync(lab().config, 'utf8')) as Record<string, unknown>;
    const path = join(lab().dir, 'other-cluster.yaml');
    writeFileSync(path, stringify({ ...file, cluster: 'other-cluster', kubeconfig: other().kubeconfig }));
    const { text } = await new Drydock(path).ends(3, 'upgrade', '--to', TO, '--yes');
    assert.match(text, /node-not-in-cluster|wrong-cluster/);
    for (const { name } of [...lab().nodes, ...other().nodes]) assert.match(text, new RegExp(name));
  });
});
