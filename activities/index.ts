import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import { evictionWindow } from '../domain/eviction-window.js';
import { type ClusterSpec, isControlPlane } from '../domain/cluster.js';
import type { Plan } from '../domain/plan.js';
import type { Blocker } from '../domain/status.js';
import { ClusterIdentity } from './cluster-identity.js';
import { askApiServerOn, waitForControlPlane } from './control-plane-gate.js';
import { cordon, type CordonResult, uncordon } from './cordon.js';
import { type Discovered, type DiscoverInput, discoverCluster } from './discover.js';
import { type DrainReport, drainPass } from './drain.js';
import { snapshotEtcd, type SnapshotReport } from './etcd-snapshot.js';
import { StepFailure, toApplicationFailure } from './failure.js';
import { isTransient, kubeFailure } from './kube/failure-of.js';
import { nodeMonitorGrace, readKubeadm } from './kube/kubeadm-facts.js';
import { isNodeReady, listAll, NODES, PODS, podsOfNode } from './kube/objects.js';
import { drainPodFacts } from './kube/pod-facts.js';
import { type GateAnswer, waitForNode } from './node-gate.js';
import { waitForOthers } from './others-whole.js';
import { planNow, type PlanRequest } from './policy.js';
import { nodeOf, type ClusterDirectory } from './ports/cluster-directory.js';
import type { KubeApi } from './ports/kube-api.js';
import type { RemoteShell } from './ports/remote-shell.js';
import { installPackages, type NodeStep, prepareNode, restartKubelet, runKubeadmUpgrade } from './upgrade-steps.js';
import { verifyUpgrade } from './verify.js';
import { workloadBaseline, type WorkloadBaseline } from './workloads.js';
import type { V1Node, V1Pod } from '@kubernetes/client-node';

export interface Ports {
  readonly shell: RemoteShell;
  readonly kube: KubeApi;
  readonly clusters: ClusterDirectory;
}

/** What a step on a node is called with. */
interface OnNode extends OnCluster {
  readonly node: string;
}

interface OnCluster {
  readonly cluster: string;
  /** uid of namespace kube-system of the cluster that was planned for; the step refuses any other. */
  readonly clusterUid?: string;
}

const HEARTBEAT_MS = 1_000;
/** A drain's pass and a gate's turn. */
const PASS_SECONDS = 60;

/** Every side effect of drydock, by name. Plain objects in and out; failures are of the closed set. */
export function createActivities({ shell, kube, clusters }: Ports) {
  const identity = new ClusterIdentity(kube);
  const specOf = async ({ cluster, clusterUid }: OnCluster, signal: AbortSignal) => {
    const spec = await clusters.spec(cluster);
    await identity.check(spec, clusterUid, signal);
    return spec;
  };
  const on = async (input: OnNode, signal: AbortSignal) => {
    const spec = await specOf(input, signal);
    return { spec, target: nodeOf(spec, input.node) };
  };

  return {
    /** Facts, preflight and plan; refusals are part of the answer. */
    tryPlan: (request: PlanRequest) =>
      activity('plan', async ({ signal }) => {
        const result = await planNow({ shell, kube }, await clusters.spec(request.cluster), request, signal);
        return result.planned ? { plan: result.plan, refusals: [], warnings: result.plan.warnings } : { plan: null, refusals: result.refusals, warnings: result.warnings };
      }),

    /** The plan to carry out. Throws PlanRefused with every refusal, PlanChanged when it is not the one that was approved. */
    planUpgradeOf: (request: PlanRequest & { readonly digest?: string }): Promise<{ plan: Plan; approve: boolean }> =>
      activity('plan', async ({ signal }) => {
        const spec = await clusters.spec(request.cluster);
        const result = await planNow({ shell, kube }, spec, request, signal);
        if (!result.planned) throw new StepFailure('PlanRefused', result.refusals.map((refusal) => `${refusal.check}${refusal.node ? ` on ${refusal.node}` : ''}: ${refusal.message} ${refusal.next}`).join(' · '));
        if (request.digest !== undefined && request.digest !== result.plan.digest) throw new StepFailure('PlanChanged', `The approved plan is ${request.digest}; the cluster now gives ${result.plan.digest}.`);
        return { plan: result.plan, approve: spec.approvals.upgrade };
      }),

    discoverCluster: (input: DiscoverInput): Promise<Discovered> => activity('look at the cluster', async ({ signal }) => discoverCluster(kube, input, signal)),

    workloadsOf: (input: OnCluster): Promise<WorkloadBaseline> =>
      activity('read the workloads', async ({ signal }) => workloadBaseline(kube, await specOf(input, signal), signal)),

    snapshotEtcd: (input: OnCluster & { run: string; attempt: number }): Promise<SnapshotReport> =>
      activity('snapshot', async ({ signal, beat }) => snapshotEtcd(shell, await specOf(input, signal), input, signal, beat)),

    /**
     * Before a control-plane node is taken. Waits up to ready.timeout for all the others: Ready, cordoned by nobody, API servers ready, etcd a majority without
     * `next`. Throws GateNotPassed with the reason.
     */
    controlPlaneWhole: (input: OnCluster & { next: string }): Promise<{ whole: boolean; why: string }> =>
      activity('look at the other control-plane nodes', async ({ signal, beat }) => {
        const spec = await specOf(input, signal);
        const waitSeconds = spec.ready.timeoutSeconds;
        const answer = await waitForOthers({ shell, kube }, spec, { next: input.next, waitSeconds }, signal, beat);
        if (!answer.whole) throw new StepFailure('GateNotPassed', `${input.next} is not touched: after ${waitSeconds} s of waiting, ${answer.why}.`);
        return answer;
      }),

    /** Workers that are no help now: NotReady, unschedulable or gone. */
    workersAway: (input: OnCluster): Promise<{ away: { name: string; why: string }[] }> =>
      activity('look at the workers', async ({ signal }) => {
        const spec = await specOf(input, signal);
        const { items } = await listAll<V1Node>(kube, spec, NODES, {}, signal);
        const names = spec.nodes.filter((node) => !isControlPlane(node)).map(({ name }) => name);
        return { away: names.flatMap((name) => {
          const why = whyAway(items.find((node) => node.metadata?.name === name));
          return why === undefined ? [] : [{ name, why }];
        }) };
      }),

    prepareNode: (input: OnNode & NodeStep & { minor: string; kubernetesVersion: string; packages: { kubeadm: string; kubelet: string; kubectl: string }; controlPlane: boolean }): Promise<void> =>
      activity('fetch packages and images', async ({ signal, beat }) => {
        const { spec, target } = await on(input, signal);
        await prepareNode(shell, spec, target, input, { signal, heartbeat: beat });
      }),

    installPackages: (input: OnNode & NodeStep & { step: string; minor: string; packages: readonly string[] }): Promise<void> =>
      activity('install packages', async ({ signal, beat }) => {
        const { spec, target } = await on(input, signal);
        await installPackages(shell, spec, target, input, { signal, heartbeat: beat });
      }),

    runKubeadmUpgrade: (input: OnNode & NodeStep & { command: 'apply' | 'node'; kubernetesVersion: string }): Promise<void> =>
      activity('kubeadm upgrade', async ({ signal, beat }) => {
        const { spec, target } = await on(input, signal);
        await runKubeadmUpgrade(shell, spec, target, input, { signal, heartbeat: beat });
      }),

    restartKubelet: (input: OnNode & NodeStep): Promise<{ restartedAt: string }> =>
      activity('restart the kubelet', async ({ signal, beat }) => {
        const { spec, target } = await on(input, signal);
        return restartKubelet(shell, spec, target, input, { signal, heartbeat: beat });
      }),

    cordonNode: (input: OnNode & { run: string }): Promise<CordonResult> =>
      activity(`cordon ${input.node}`, async ({ signal }) => cordon(kube, await specOf(input, signal), input.node, input.run)),

    uncordonNode: (input: OnNode): Promise<{ uncordoned: boolean }> =>
      activity(`uncordon ${input.node}`, async ({ signal }) => uncordon(kube, await specOf(input, signal), input.node)),

    /** One pass. Throws DrainBlocked when the drain's own time is over, DrainRefused when the rules forbid a pod. */
    drainNode: (input: OnNode & { known: readonly Blocker[]; secondsSoFar: number }): Promise<DrainReport> =>
      activity(`drain ${input.node}`, async ({ signal, beat }) => {
        const { node, known, secondsSoFar } = input;
        const spec = await specOf(input, signal);
        const left = spec.drain.timeoutSeconds - secondsSoFar;
        if (left <= 0) {
          const named = known.map((blocker) => `${blocker.pod} ${blocker.reason}`).join('; ');
          throw new StepFailure('DrainBlocked', `${node} is not empty after ${spec.drain.timeoutSeconds} s: ${named || 'pods are still ending'}.`);
        }
        return drainPass(kube, spec, { node, rules: spec.drain, known, passSeconds: Math.min(PASS_SECONDS, left) }, signal, beat);
      }),

    /** Seconds until the cluster would evict the first pod if this node went silent now. */
    evictionWindowOf: (input: OnNode): Promise<{ seconds: number | null; firstPod: string; why: string }> =>
      activity(`read the pods of ${input.node}`, async ({ signal }) => {
        const spec = await specOf(input, signal);
        const { items } = await listAll<V1Pod>(kube, spec, PODS, podsOfNode(input.node), signal);
        const pods = drainPodFacts(items).map((pod) => ({ ...pod, name: `${pod.namespace}/${pod.name}` }));
        const window = evictionWindow({ pods, nodeMonitorGraceSeconds: await monitorGrace(kube, spec, signal) });
        return { seconds: window.secondsToFirstEviction, firstPod: window.firstPod ?? '', why: window.why };
      }),

    /**
     * `after` is the node's clock: only what the node itself wrote is compared with it. `since` is ours: when the waiting began.
     * Waits from then on for `waitSeconds` (null: ready.timeout). Throws NodeNotReady when ready.timeout is over, also where
     * `waitSeconds` is the longer one.
     */
    waitForNode: (input: OnNode & { version: string; after: string; since: string; waitSeconds: number | null; ignorePods: readonly string[]; failAtEnd: boolean }): Promise<GateAnswer> =>
      activity(`wait for ${input.node}`, async ({ signal, beat }) => {
        const spec = await specOf(input, signal);
        const { steadySeconds, timeoutSeconds } = spec.ready;
        const waited = Math.max(0, (Date.now() - Date.parse(input.since)) / 1000);
        const limit = Math.min(input.waitSeconds ?? Infinity, timeoutSeconds);
        const answer = await waitForNode(kube, spec, { ...input, steadySeconds, waitSeconds: Math.max(1, limit - waited) }, signal, beat);
        if (!answer.passed && (input.failAtEnd || limit === timeoutSeconds)) throw new StepFailure('NodeNotReady', `${input.node} is not Ready at ${input.version} after ${timeoutSeconds} s of waiting: ${answer.why}.`);
        return answer;
      }),

    /** `after`: ISO 8601 by the node's clock, when its kubelet was restarted; what an older kubelet said does not count. */
    waitForControlPlane: (input: OnNode & { version: string; after?: string }): Promise<GateAnswer> =>
      activity(`wait for the control plane on ${input.node}`, async ({ signal, beat }) => {
        const { node, version, after } = input;
        const { spec, target } = await on(input, signal);
        const { steadySeconds, timeoutSeconds } = spec.ready;
        const answer = await waitForControlPlane({ kube, askNode: (host, port) => askApiServerOn(shell, spec, target, host, port, signal) }, spec, { node, version, ...(after === undefined ? {} : { after }), steadySeconds, waitSeconds: timeoutSeconds }, signal, beat);
        if (!answer.passed) throw new StepFailure('GateNotPassed', `The control plane on ${node} is not whole at ${version} after ${timeoutSeconds} s: ${answer.why}.`);
        return answer;
      }),

    verifyUpgrade: (input: OnCluster & { to: string; nodes: readonly string[]; baseline: WorkloadBaseline; strict: boolean }): Promise<{ lessReady: readonly string[] }> =>
      activity('verify', async ({ signal, beat }) => verifyUpgrade(kube, await specOf(input, signal), input, signal, beat)),
  };
}

export type Activities = ReturnType<typeof createActivities>;

interface Running {
  readonly signal: AbortSignal;
  /** Progress for the next heartbeat; the timer sends it. */
  readonly beat: (progress: unknown) => void;
}

/** Heartbeats from a timer whatever the body does, and turns every error into one of the closed set. A cancellation passes as it is. */
async function activity<T>(doing: string, body: (running: Running) => Promise<T>): Promise<T> {
  const signal = cancellationSignal();
  let progress: unknown = doing;
  heartbeat(progress);
  const timer = setInterval(() => heartbeat(progress), HEARTBEAT_MS);
  try {
    return await body({ signal, beat: (next) => (progress = next) });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toApplicationFailure(error instanceof StepFailure ? error : kubeFailure(error, `Cannot ${doing}`), activityInfo().attempt);
  } finally {
    clearInterval(timer);
  }
}

function whyAway(node: V1Node | undefined): string | undefined {
  if (!node) return 'the cluster has no such node';
  if (!isNodeReady(node)) return `not Ready: ${node.status?.conditions?.find((condition) => condition.type === 'Ready')?.reason ?? 'no Ready condition'}`;
  return node.spec?.unschedulable ? 'cordoned' : undefined;
}

async function monitorGrace(kube: KubeApi, spec: ClusterSpec, signal: AbortSignal): Promise<number> {
  const [{ gitVersion }, kubeadm] = await Promise.all([
    kube.request<{ gitVersion: string }>(spec, { method: 'GET', path: '/version', signal }),
    readKubeadm(kube, spec, signal).catch((error: unknown) => {
      if (signal.aborted || isTransient(error)) throw error;
      return undefined;
    }),
  ]);
  return nodeMonitorGrace(kubeadm, gitVersion);
}
