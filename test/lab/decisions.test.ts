import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import type { RunStatus } from '../../domain/status.js';
import { maintenanceId } from '../../workflows/messages.js';
import type { LabCluster } from '../../lab/index.js';
import { Drydock, type Following, nodeOf } from '../support/lab-drydock.js';
import { temporalOf } from '../support/lab-faults.js';
import { isCordoned, isReady, KubeReader, kubectl, onNode, ownCordon, packagesOf, startedUnits } from '../support/lab-kube.js';
import { note, secondsSince, sleep, until, useCluster } from '../support/lab-run.js';
import { firstControlPlane, workersOf } from '../support/lab-upgraded.js';

const TO = '1.37.2';
/** Everything the cluster runs is on the control plane at first, so a budget over CoreDNS holds up the very first drain. */
const BUDGET = 'kube-system/coredns-stays';

const blockDrains = (cluster: LabCluster): Promise<string> => kubectl(cluster, '-n', 'kube-system', 'create', 'poddisruptionbudget', 'coredns-stays', '--selector=k8s-app=kube-dns', '--max-unavailable=0');

/** A kubelet that runs on, and fails from its next start on. */
const breakKubelet = (cluster: LabCluster, node: string): Promise<string> =>
  onNode(cluster, node, "mkdir -p /etc/systemd/system/kubelet.service.d && printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/kubelet --no-such-flag\\n' >/etc/systemd/system/kubelet.service.d/99-break.conf");
const repairKubelet = (cluster: LabCluster, node: string): Promise<string> =>
  onNode(cluster, node, 'rm /etc/systemd/system/kubelet.service.d/99-break.conf && systemctl daemon-reload && systemctl restart kubelet');

/** Evidence from outside that a node was never touched by this run. */
async function assertUntouched(cluster: LabCluster, node: string, run: string): Promise<void> {
  const steps = (await startedUnits(cluster, node)).filter(({ run8 }) => run.startsWith(run8)).map(({ step }) => step);
  assert.deepEqual(steps.filter((step) => !['repository', 'package-download', 'images', 'etcd-snapshot'].includes(step)), [], `${node} was touched`);
}

/** The seconds from the moment the node is seen cordoned until the status names pod and budget. */
async function blockedAfter(cluster: LabCluster, drydock: Drydock, node: string): Promise<{ seconds: number; status: RunStatus }> {
  const kube = new KubeReader(cluster);
  try {
    await until(`${node} cordoned`, 180, async () => isCordoned(await kube.node(node)), 200);
    const began = Date.now();
    const status = await until('blockers in status --json', 60, async () => {
      const now = await drydock.status();
      return now.blockers.length > 0 ? now : undefined;
    });
    return { seconds: secondsSince(began), status };
  } finally {
    kube.close();
  }
}

function assertNamesBlockers(status: RunStatus, node: string): void {
  assert.equal(status.state, 'waiting');
  assert.equal(nodeOf(status, node).state, 'waiting');
  for (const blocker of status.blockers) {
    assert.match(blocker.pod, /^kube-system\/coredns-/);
    assert.deepEqual([blocker.node, blocker.budget], [node, BUDGET]);
    assert.match(blocker.reason, /coredns-stays/);
  }
  assert.match(status.waitingFor ?? '', /kube-system\/coredns-.*coredns-stays/);
}

describe('a budget that allows nothing, and an abort', function () {
  this.timeout(10 * 60_000);
  const lab = useCluster('a', { version: '1.36.3', with: [TO] });
  const drydock = (): Drydock => new Drydock(lab().config);
  let before: unknown;

  const state = async (): Promise<unknown> => {
    const kube = new KubeReader(lab());
    const pods = (await kube.pods('kube-system')).map((pod) => [pod.metadata?.name, pod.metadata?.uid, pod.spec?.nodeName, pod.spec?.containers[0]?.image]).sort();
    const nodes = (await kube.nodes()).map((node) => [node.metadata?.name, node.status?.nodeInfo?.kubeletVersion, isReady(node), isCordoned(node), ownCordon(node)]).sort();
    kube.close();
    return { pods, nodes, packages: await Promise.all(lab().nodes.map(({ name }) => packagesOf(lab(), name))) };
  };

  it('is named, pod and budget, within 15 s in status --json and in the web UI', async () => {
    const node = firstControlPlane(lab());
    before = await state();
    await blockDrains(lab());
    await drydock().ends(0, 'upgrade', '--to', TO, '--yes', '--detach');
    const { seconds, status } = await blockedAfter(lab(), drydock(), node);
    note(`blockers named ${seconds} s after the cordon: ${status.blockers.map(({ pod, reason }) => `${pod} ${reason}`).join('; ')}`);
    assertNamesBlockers(status, node);
    assert.ok(seconds <= 15, `${seconds} s`);

    const temporal = await temporalOf(drydock());
    const { currentDetails = '' } = await temporal.client.workflow.getHandle(maintenanceId(lab().name)).query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    await temporal.close();
    assert.match(currentDetails.replaceAll('\\', ''), /kube-system\/coredns-[^|]*\|.*coredns-stays/);
  });

  it('leaves everything as it was on abort, with exit code 5', async () => {
    await drydock().ends(5, 'abort', '--why', 'wrong night', '--json');
    const status = await drydock().status();
    assert.equal(status.state, 'aborted');
    assert.deepEqual(status.nodes.map((node) => node.state), ['aborted', 'notStarted', 'notStarted']);
    assert.ok(status.events.some(({ name, message }) => name === 'OperatorAbort' && /alice@desk: wrong night/.test(message)), JSON.stringify(status.events));
    assert.deepEqual(await state(), before);
    for (const { name } of lab().nodes) await assertUntouched(lab(), name, status.run);
    await kubectl(lab(), '-n', 'kube-system', 'delete', 'poddisruptionbudget', 'coredns-stays');
  });
});

/** One upgrade, told as it happens: each test is the next part of it. */
describe('an upgrade with a cordon of the operator, a second client, a budget that lets go, and two broken kubelets', function () {
  this.timeout(15 * 60_000);
  const lab = useCluster('a', { version: '1.36.3', with: [TO] });
  const drydock = (): Drydock => new Drydock(lab().config);
  let following: Following | undefined;
  let control = '';
  let first = '';
  let second = '';
  let run = '';
  let failed = false;

  before(async () => {
    control = firstControlPlane(lab());
    [first = '', second = ''] = workersOf(lab());
    await kubectl(lab(), 'cordon', first);
    await blockDrains(lab());
    for (const worker of [first, second]) await breakKubelet(lab(), worker);
  });
  beforeEach(function () {
    if (failed) this.skip();
  });
  afterEach(function () {
    failed ||= this.currentTest?.state === 'failed';
  });
  after(() => following?.stop());

  it('plans to keep the operator\'s cordon', async () => {
    const plan = await drydock().json<{ nodes: { name: string; keepCordon: boolean }[]; warnings: { check: string; node?: string }[] }>('plan', 'upgrade', '--to', TO);
    assert.deepEqual(plan.nodes.map(({ name, keepCordon }) => [name, keepCordon]), [[control, false], [first, true], [second, false]]);
    assert.ok(plan.warnings.some(({ check, node }) => check === 'already-cordoned' && node === first));
    assert.ok(plan.warnings.some(({ check }) => check === 'budget-never-allows'));
  });

  it('refuses a second client with exit code 7, and names who holds the cluster', async () => {
    await drydock().ends(0, 'upgrade', '--to', TO, '--yes', '--detach');
    const { text } = await new Drydock(lab().config, 'bob@laptop').ends(7, 'upgrade', '--to', TO, '--yes');
    assert.match(text, /held by another maintenance: upgrade to 1\.37\.2, started by alice@desk/);
  });

  it('goes on within seconds, without a person, when the budget is relaxed', async () => {
    const { status } = await blockedAfter(lab(), drydock(), control);
    assertNamesBlockers(status, control);
    run = status.run;
    await sleep(10_000);
    following = await drydock().follow('watch');
    await following.until('the blocked drain in watch', 30, (now) => now.blockers.length > 0);
    const began = Date.now();
    await kubectl(lab(), '-n', 'kube-system', 'patch', 'poddisruptionbudget', 'coredns-stays', '--type=merge', '-p', '{"spec":{"maxUnavailable":1}}');
    await following.until('fewer blockers', 60, (now) => now.blockers.length < status.blockers.length);
    const unblocked = secondsSince(began);
    const after = await following.until('the step after the drain', 120, (now) => now.blockers.length === 0 && !/^drain/.test(nodeOf(now, control).step));
    note(`budget relaxed: first pod let go after ${unblocked} s, drained after ${secondsSince(began)} s`);
    assert.ok(unblocked <= 15, `${unblocked} s`);
    assert.equal(after.state, 'running');
    await kubectl(lab(), '-n', 'kube-system', 'delete', 'poddisruptionbudget', 'coredns-stays');
  });

  it('stops a worker whose kubelet does not come up with its reason, and the command with exit code 4', async () => {
    await following?.until(`${control} done`, 600, (now) => nodeOf(now, control).state === 'done');
    // From here on a minute must do; the file is read again when it changes.
    const file = parse(readFileSync(lab().config, 'utf8')) as { ready: object };
    writeFileSync(lab().config, stringify({ ...file, ready: { ...file.ready, timeout: '60s' } }));
    assert.equal(await following?.end(`the decision about ${first}`, 300), 4);
    const status = await drydock().status();
    assert.equal(status.state, 'waiting');
    assert.deepEqual([nodeOf(status, first).state, nodeOf(status, first).error?.kind], ['waiting', 'NodeNotReady']);
    assert.match(status.waitingFor ?? '', new RegExp(`decision about ${first}.*NodeNotReady`));
    assert.ok(!status.events.some(({ name }) => name === 'EvictionWindowClosed'), 'the eviction window of 350 s has not closed after 60 s');
  });

  it('starts no other node meanwhile', async () => {
    await sleep(15_000);
    assert.equal(nodeOf(await drydock().status(), second).state, 'notStarted');
    await assertUntouched(lab(), second, run);
    assert.ok(!isCordoned(await new KubeReader(lab()).node(second)));
  });

  it('says no to skip and retry of a node that does not wait', async () => {
    assert.match((await drydock().ends(2, 'retry', second)).text, /notStarted/);
    assert.match((await drydock().ends(2, 'skip', 'nobody')).text, /no node nobody/);
  });

  it('goes on after the repair and a retry', async () => {
    await repairKubelet(lab(), first);
    await drydock().ends(0, 'retry', first, '--why', 'flag removed');
    following = await drydock().follow('watch');
    await following.until(`${first} done`, 180, (now) => nodeOf(now, first).state === 'done');
    const node = await new KubeReader(lab()).node(first);
    assert.deepEqual([isReady(node), node.status?.nodeInfo?.kubeletVersion], [true, `v${TO}`]);
  });

  it('leaves the operator\'s cordon where it was', async () => {
    const node = await new KubeReader(lab()).node(first);
    assert.deepEqual([isCordoned(node), ownCordon(node)], [true, undefined]);
  });

  it('stops at the second broken kubelet too, and ends with exit code 4 after skip', async () => {
    assert.equal(await following?.end(`the decision about ${second}`, 300), 4);
    await drydock().ends(0, 'skip', second, '--why', 'goes to the workshop');
    const { code, text } = await drydock().run('watch');
    assert.equal(code, 4, text);
    assert.match(text, new RegExp(`${second}.*skipped`));
    assert.match(text, /goes to the workshop/);
  });

  it('reports the skipped node and what state it is in', async () => {
    const status = await drydock().status();
    assert.equal(status.state, 'failed');
    assert.deepEqual(status.nodes.map(({ name, state }) => [name, state]), [[control, 'done'], [first, 'done'], [second, 'skipped']]);
    assert.match(status.step, new RegExp(`${second} skipped`));
    const skipped = status.events.find(({ name }) => name === 'NodeSkipped');
    assert.match(skipped?.message ?? '', new RegExp(`${second}: skipped by alice@desk: goes to the workshop.*NodeNotReady.*kubectl uncordon ${second}`));
    const node = await new KubeReader(lab()).node(second);
    assert.deepEqual([isCordoned(node), ownCordon(node)], [true, run], 'a node with a broken kubelet stays cordoned');
  });

  it('still has the operator\'s cordon at the end', async () => {
    const node = await new KubeReader(lab()).node(first);
    assert.deepEqual([isCordoned(node), ownCordon(node)], [true, undefined]);
  });
});
