import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import type { Blocker } from '../domain/status.js';
import { long, short } from './activity-proxies.js';
import type { NodeResult, UpgradeNodeInput } from './messages.js';
import { NodeChain, NodeLeft } from './node-chain.js';
import { onCancel } from './on-cancel.js';

/** One node of any role, from the cordon to the uncordon. Its result is always a value; what went wrong is in it and in the maintenance's status. */
export async function upgradeNode(input: UpgradeNodeInput): Promise<NodeResult> {
  const chain = new NodeChain(input.node, input.maintenance, input.paused);
  onCancel((why) => chain.hear({ what: 'abort', by: 'Temporal', why }));
  return CancellationScope.nonCancellable(() => upgrade(input, chain));
}

async function upgrade(input: UpgradeNodeInput, chain: NodeChain): Promise<NodeResult> {
  const { cluster, clusterUid, run } = input;
  const node = input.node.name;
  const controlPlane = input.node.role === 'control-plane';
  const on = (what: string): string => `${node}: ${what}`;
  // From the kubelet's replacement until its gate is passed, the node is not whole: its cordon must stay, whoever aborts.
  let kubeletWhole = true;
  let readyTries = 0;
  setCurrentDetails(`**${node}**: kubelet ${input.node.from} → ${input.node.to}`);

  try {
    await chain.step('packages and images fetched', (attempt) =>
      long(on('fetch packages and images')).prepareNode({ cluster, clusterUid, node, run, attempt, minor: input.minor, kubernetesVersion: input.kubernetesVersion, packages: input.packages, controlPlane }));
    if (input.drain) {
      await chain.step('cordon', () => short(on('cordon')).cordonNode({ cluster, clusterUid, node, run }));
      await chain.step('drain', () => drain(input, chain), { abortable: true });
    }
    await chain.step('kubeadm package', (attempt) =>
      long(on(`install kubeadm ${input.packages.kubeadm}`)).installPackages({ cluster, clusterUid, node, run, attempt, step: 'kubeadm-package', minor: input.minor, packages: [`kubeadm=${input.packages.kubeadm}`] }));
    await chain.step(`kubeadm upgrade ${input.kubeadm}`, (attempt) =>
      long(on(`kubeadm upgrade ${input.kubeadm}`)).runKubeadmUpgrade({ cluster, clusterUid, node, run, attempt, command: input.kubeadm, kubernetesVersion: input.kubernetesVersion }), { watched: true });

    await chain.step('kubelet package', (attempt) => {
      kubeletWhole = false;
      return long(on(`install kubelet ${input.packages.kubelet}`)).installPackages({
        cluster, clusterUid, node, run, attempt, step: 'kubelet-package', minor: input.minor, packages: [`kubelet=${input.packages.kubelet}`, `kubectl=${input.packages.kubectl}`] });
    });
    const restart = await chain.step('kubelet restart', (attempt) => long(on('restart kubelet')).restartKubelet({ cluster, clusterUid, node, run, attempt }));
    await chain.step('wait for ready', async () => {
      const gates = [ready(input, chain, restart.restartedAt, ++readyTries)];
      // A new kubelet restarts every static pod once more after the node says Ready: the control plane has a gate of its own.
      if (controlPlane) gates.push(long(on('wait for static pods, etcd and API server')).waitForControlPlane({ cluster, clusterUid, node, version: input.kubernetesVersion, after: restart.restartedAt }).then(() => undefined));
      await Promise.all(gates);
    }, { abortable: true });
    kubeletWhole = true;

    if (input.drain) await chain.step('uncordon', () => short(on('uncordon')).uncordonNode({ cluster, clusterUid, node }));
    await chain.end({ state: 'done', step: 'done', error: null }, 'NodeDone', `${node} is at ${input.node.to}.`);
    return { state: 'done', message: `at ${input.node.to}` };
  } catch (error) {
    if (!(error instanceof NodeLeft)) throw error;
    return CancellationScope.nonCancellable(() => leave(input, chain, error, kubeletWhole));
  }
}

/** The ladder of a drain: passes that hold a watch, each ending when the blockers change; named, waited for, and at the deadline asked about. */
async function drain(input: UpgradeNodeInput, chain: NodeChain): Promise<void> {
  const node = input.node.name;
  const activities = long(`${node}: drain`);
  let known: readonly Blocker[] = [];
  const startedAt = Date.now();
  for (;;) {
    const report = await activities.drainNode({ cluster: input.cluster, clusterUid: input.clusterUid, node, known, secondsSoFar: (Date.now() - startedAt) / 1000 });
    const away = report.away ? `, the API server is away: ${report.away}` : '';
    await chain.blocked(report.blockers, report.evicted, report.drained ? 'drain' : `drain, ${report.remaining} pods left${away}`);
    if (report.drained) return;
    if (report.blockers.length > 0 && known.length === 0) {
      await chain.event('DrainBlocked', report.blockers.map((blocker) => `${blocker.pod} ${blocker.reason}`).join('; '));
    }
    known = report.blockers;
  }
}

/** Waits for Ready in two parts, so that the end of the cluster's own eviction window is an event with a name and not a surprise. */
async function ready(input: UpgradeNodeInput, chain: NodeChain, restartedAt: string, tries: number): Promise<void> {
  const node = input.node.name;
  // After an operator's retry the whole time to become ready is given again; the window is not spoken of twice.
  const since = new Date().toISOString();
  const window = tries === 1 ? await short(`${node}: eviction window`).evictionWindowOf({ cluster: input.cluster, clusterUid: input.clusterUid, node }) : { seconds: null };
  const wait = (seconds: number | null, last: boolean) =>
    long(`${node}: wait for Ready at ${input.node.to}`).waitForNode({
      cluster: input.cluster, clusterUid: input.clusterUid, node, version: input.node.to, after: restartedAt, since, waitSeconds: seconds, ignorePods: input.ignorePods, failAtEnd: last });
  if (window.seconds !== null) {
    const answer = await wait(window.seconds, false);
    if (answer.passed) return;
    await chain.event('EvictionWindowClosed', `${node} is not back ${window.seconds} s after its kubelet stopped (${answer.why}); the cluster now evicts ${window.firstPod} and what follows. ${window.why}`);
  }
  await wait(null, true);
}

/** Skip and abort: the cordon goes only when it is ours and the kubelet is whole. */
async function leave(input: UpgradeNodeInput, chain: NodeChain, left: NodeLeft, kubeletWhole: boolean): Promise<NodeResult> {
  const node = input.node.name;
  const step = chain.lastStep;
  let now = kubeletWhole ? 'its kubelet is whole' : `its kubelet is being replaced; the cordon stays. When it is healthy again: kubectl uncordon ${node}`;
  if (kubeletWhole && input.drain) {
    try {
      const { uncordoned } = await short(`${node}: uncordon`).uncordonNode({ cluster: input.cluster, clusterUid: input.clusterUid, node });
      if (uncordoned) now += ', schedulable again';
    } catch (error) {
      now += `, still cordoned (${String(error)}). Type: kubectl uncordon ${node}`;
    }
  }
  const reason = chain.lastError ? ` after ${chain.lastError.kind}: ${chain.lastError.message}` : '';
  const message = `${node}: ${left.message}, at "${step}"${reason}; ${now}.`;
  await chain.end({ state: left.how, step }, left.how === 'skipped' ? 'NodeSkipped' : 'NodeAborted', message);
  return { state: left.how, message };
}
