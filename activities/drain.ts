import type { V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';
import type { ClusterSpec, DrainSpec } from '../domain/cluster.js';
import { drainDecision, type DrainPod } from '../domain/drain-rules.js';
import type { Blocker } from '../domain/status.js';
import { StepFailure } from './failure.js';
import { isTransient } from './kube/failure-of.js';
import { controllerOf, daemonSetNames, isMirror, PODS, podName, podsOfNode } from './kube/objects.js';
import { watchUntil } from './kube/watch-until.js';
import { type KubeApi, kubePath, KubeStatusError } from './ports/kube-api.js';

/** Evictions under way at once, for one node. */
const PARALLEL = 10;
const RETRY_MS = 5_000;
const NEVER = Number.MAX_SAFE_INTEGER;
const RETRY_MAX_MS = 30_000;
/** After an answer that says nothing of the pod: overload, a restarting API server. */
const BUSY_MS = 1_000;
const BUSY_MAX_MS = 15_000;
/** A budget that refuses for less than this is the normal turn of a drain, not a blocker. */
const BLOCKED_MS = 8_000;
/** A pod that is still there this long after its grace period ended is said to be stuck. */
const STUCK_MS = 30_000;
const DELETED = 'is being deleted';

export interface DrainInput {
  readonly node: string;
  readonly rules: DrainSpec;
  /** What the caller already knows to block; a change of this set ends the pass at once. */
  readonly known: readonly Blocker[];
  /** Longest pass, seconds. */
  readonly passSeconds: number;
}

export interface DrainReport {
  readonly drained: boolean;
  readonly blockers: readonly Blocker[];
  /** Evictions accepted in this pass. */
  readonly evicted: number;
  /** Pods that still have to go. */
  readonly remaining: number;
  /** Set while the API server does not answer. */
  readonly away?: string;
}

interface Attempt {
  tries: number;
  /** Answers in a row that said nothing of the pod. */
  busy: number;
  nextAt: number;
  /** An overloaded API server asked not to be called before this, whatever a budget says. */
  notBefore: number;
  blocker?: Blocker;
}

/**
 * One pass of a drain: evicts what may go, through the eviction API and with each pod's uid, and returns when the node is empty, when the set of
 * blockers changes, or after `passSeconds`. All state is read from the API, so a pass can be repeated after any kill.
 * Throws StepFailure DrainRefused before the first eviction when the rules forbid a pod (reference: kubectl drain's filters).
 */
export async function drainPass(kube: KubeApi, cluster: ClusterSpec, input: DrainInput, signal: AbortSignal, progress: (text: string) => void): Promise<DrainReport> {
  const pass = new DrainPass(kube, cluster, input, signal);
  let away: string | undefined;
  const deadline = Date.now() + input.passSeconds * 1000;
  const over = new AbortController();
  let ring = (): void => undefined;
  // A budget that allows again is evidence: the pods it held back are tried at once and not at their next turn.
  const budgets = watchUntil<V1PodDisruptionBudget, never>(
    kube,
    cluster,
    { path: '/apis/policy/v1/poddisruptionbudgets', query: {}, deadline, signal: AbortSignal.any([signal, over.signal]) },
    (items) => {
      if (pass.allowedAgain(items)) ring();
      return Promise.resolve(undefined);
    },
  ).catch(() => undefined);
  try {
    const report = await watchUntil<V1Pod, DrainReport>(
      kube,
      cluster,
      { path: PODS, query: podsOfNode(input.node), deadline, signal, onAway: (why) => (away = why), onBell: (bell) => (ring = bell) },
      async (pods, wakeAt) => {
        const left = await pass.look(pods, wakeAt);
        progress(left.remaining === 0 ? 'drained' : `${left.remaining} pods left`);
        return left.drained || !sameBlockers(left.blockers, input.known) ? left : undefined;
      },
    );
    return report ?? { ...pass.last, ...(away === undefined ? {} : { away }) };
  } finally {
    over.abort();
    await budgets;
  }
}

class DrainPass {
  last: DrainReport;
  private readonly attempts = new Map<string, Attempt>();
  private evicted = 0;
  private readonly began = Date.now();
  private daemonSets: ReadonlySet<string> | undefined;
  /** Were not there when they were looked up. */
  private noDaemonSets: ReadonlySet<string> = new Set();
  private budgets: readonly V1PodDisruptionBudget[] = [];

  constructor(
    private readonly kube: KubeApi,
    private readonly cluster: ClusterSpec,
    private readonly input: DrainInput,
    private readonly signal: AbortSignal,
  ) {
    this.last = { drained: false, blockers: input.known, evicted: 0, remaining: -1 };
  }

  async look(pods: readonly V1Pod[], wakeAt: (moment: number) => void): Promise<DrainReport> {
    const daemonSets = await this.daemonSetsOf(pods);
    const { evict, refuse } = drainDecision(pods.map((pod) => drainPod(pod, daemonSets)), this.input.rules);
    if (refuse.length > 0) {
      const named = refuse.slice(0, 5).map(({ pod, verdict }) => `${pod.namespace}/${pod.name} ${verdict.reason}`).join('; ');
      throw new StepFailure('DrainRefused', `${this.input.node} cannot be drained: ${named}${refuse.length > 5 ? `; and ${refuse.length - 5} more` : ''}.`);
    }
    const going = new Set(evict.map(({ pod }) => pod.uid));
    const targets = pods.filter((pod) => going.has(pod.metadata?.uid ?? ''));
    this.remember(targets);
    await this.evictAll(targets.filter((pod) => pod.metadata?.deletionTimestamp === undefined));
    const now = Date.now();
    const blockers: Blocker[] = [];
    for (const pod of targets) {
      const attempt = this.attempts.get(pod.metadata?.uid ?? '');
      const stuck = this.stuck(pod, now, wakeAt);
      if (stuck) blockers.push(stuck);
      else if (attempt?.blocker && pod.metadata?.deletionTimestamp === undefined) {
        const blockedAt = Date.parse(attempt.blocker.since) + BLOCKED_MS;
        if (now >= blockedAt) blockers.push(attempt.blocker);
        else wakeAt(blockedAt);
      }
      if (attempt && attempt.nextAt > now) wakeAt(attempt.nextAt);
    }
    // A pod whose eviction was accepted stays until the watch says that it is gone.
    this.last = { drained: targets.length === 0, blockers, evicted: this.evicted, remaining: targets.length };
    return this.last;
  }

  /** Asked anew when a pod names one that is not known: it may have been made since, and a pod of it must not be taken for an orphan. */
  private async daemonSetsOf(pods: readonly V1Pod[]): Promise<ReadonlySet<string>> {
    const named = pods.flatMap((pod) => {
      const owner = controllerOf(pod);
      return owner?.kind === 'DaemonSet' && owner.apiVersion === 'apps/v1' ? [`${pod.metadata?.namespace}/${owner.name}`] : [];
    });
    const there = this.daemonSets;
    if (there && named.every((name) => there.has(name) || this.noDaemonSets.has(name))) return there;
    const sets = await daemonSetNames(this.kube, this.cluster);
    this.noDaemonSets = new Set(named.filter((name) => !sets.has(name)));
    this.daemonSets = sets;
    return sets;
  }

  /** A pod that an earlier pass was refused has its turn some seconds later, as if it were the same pass; unless its budget allows before. */
  private remember(targets: readonly V1Pod[]): void {
    let any = false;
    for (const pod of targets) {
      const uid = pod.metadata?.uid ?? '';
      const known = this.attempts.has(uid) ? undefined : this.input.known.find((blocker) => blocker.pod === podName(pod) && !blocker.reason.startsWith(DELETED));
      if (!known) continue;
      this.attempts.set(uid, { tries: 1, busy: 0, nextAt: this.began + RETRY_MS, notBefore: 0, blocker: known });
      any = true;
    }
    if (any) this.allowedAgain(this.budgets);
  }

  /** Lets as many blocked pods of each budget try at once as it allows; true when there is one. */
  allowedAgain(budgets: readonly V1PodDisruptionBudget[]): boolean {
    this.budgets = budgets;
    let any = false;
    for (const budget of budgets) {
      const name = `${budget.metadata?.namespace}/${budget.metadata?.name}`;
      const held = [...this.attempts.values()].filter((attempt) => attempt.blocker?.budget === name && attempt.nextAt !== NEVER);
      for (const attempt of held.slice(0, Math.max(0, budget.status?.disruptionsAllowed ?? 0))) {
        attempt.nextAt = attempt.notBefore;
        any = true;
      }
    }
    return any;
  }

  private async evictAll(pods: readonly V1Pod[]): Promise<void> {
    const due = pods.filter((pod) => (this.attempts.get(pod.metadata?.uid ?? '')?.nextAt ?? 0) <= Date.now());
    for (let i = 0; i < due.length; i += PARALLEL) {
      await Promise.all(due.slice(i, i + PARALLEL).map((pod) => this.evict(pod)));
      this.signal.throwIfAborted();
    }
  }

  private async evict(pod: V1Pod): Promise<void> {
    const uid = pod.metadata?.uid ?? '';
    const attempt = this.attempts.get(uid) ?? { tries: 0, busy: 0, nextAt: 0, notBefore: 0 };
    this.attempts.set(uid, attempt);
    attempt.tries++;
    // Growing, with jitter: at most one call per pod and 5 s while something blocks.
    attempt.nextAt = Date.now() + Math.min(RETRY_MS * 1.5 ** (attempt.tries - 1), RETRY_MAX_MS) * (1 + Math.random() / 4);
    try {
      await this.kube.request(this.cluster, evictionOf(pod, this.input.rules.maxGraceSeconds, this.signal));
      this.evicted++;
      attempt.nextAt = NEVER;
      delete attempt.blocker;
    } catch (error) {
      if (this.signal.aborted) throw error;
      const reason = blockedBy(error);
      if (reason === 'gone') {
        attempt.nextAt = NEVER;
        return;
      }
      if (reason === 'transient') {
        // A blocker stays one: this answer says nothing about it.
        attempt.nextAt = Date.now() + Math.min(BUSY_MS * 1.5 ** attempt.busy++, BUSY_MAX_MS) * (1 + Math.random() / 4);
        attempt.notBefore = Date.now() + retryAfterMs(error);
      } else {
        attempt.busy = 0;
        attempt.blocker = this.blocker(pod, reason.reason, reason.budget, attempt.blocker);
      }
      attempt.nextAt = Math.max(attempt.nextAt, Date.now() + retryAfterMs(error));
    }
  }

  private stuck(pod: V1Pod, now: number, wakeAt: (moment: number) => void): Blocker | undefined {
    if (pod.metadata?.deletionTimestamp === undefined) return undefined;
    // The deletion timestamp already includes the grace period.
    const stuckAt = new Date(pod.metadata.deletionTimestamp).getTime() + STUCK_MS;
    if (now < stuckAt) {
      wakeAt(stuckAt);
      return undefined;
    }
    const finalizers = pod.metadata.finalizers ?? [];
    return this.blocker(pod, finalizers.length > 0 ? `${DELETED} but held by finalizer ${finalizers.join(', ')}` : `${DELETED} but its kubelet has not ended it`);
  }

  private blocker(pod: V1Pod, reason: string, budget?: string, earlier?: Blocker): Blocker {
    const name = podName(pod);
    const before = earlier ?? this.input.known.find((known) => known.pod === name);
    return { pod: name, node: this.input.node, reason, ...(budget ? { budget: `${pod.metadata?.namespace}/${budget}` } : {}), since: before?.since ?? new Date().toISOString() };
  }
}

function evictionOf(pod: V1Pod, maxGraceSeconds: number | undefined, signal: AbortSignal): Parameters<KubeApi['request']>[1] {
  const namespace = pod.metadata?.namespace ?? '';
  const name = pod.metadata?.name ?? '';
  const own = pod.spec?.terminationGracePeriodSeconds ?? 30;
  const grace = maxGraceSeconds !== undefined && own > maxGraceSeconds ? { gracePeriodSeconds: maxGraceSeconds } : {};
  return {
    method: 'POST',
    path: kubePath('api', 'v1', 'namespaces', namespace, 'pods', name, 'eviction'),
    body: {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name, namespace },
      // With the uid, a pod of the same name that was re-created meanwhile is never hit.
      deleteOptions: { ...grace, preconditions: { uid: pod.metadata?.uid } },
    },
    signal,
  };
}

const retryAfterMs = (error: unknown): number => (error instanceof KubeStatusError ? (error.retryAfterSeconds ?? 0) * 1000 : 0);

/** What an answer to an eviction means. */
function blockedBy(error: unknown): 'gone' | 'transient' | { reason: string; budget?: string } {
  if (!(error instanceof KubeStatusError)) {
    if (isTransient(error)) return 'transient';
    throw error;
  }
  if (error.code === 404 || (error.code === 409 && /uid/i.test(error.message))) return 'gone';
  const budgetCause = error.causes.find((cause) => cause.reason === 'DisruptionBudget');
  if (error.code === 429 && budgetCause) {
    const budget = /disruption budget (\S+)/.exec(budgetCause.message)?.[1];
    return { reason: budgetCause.message || error.message, ...(budget ? { budget } : {}) };
  }
  if (error.code === 403 && error.causes.some((cause) => cause.reason === 'NamespaceTerminating')) return 'transient';
  // Two budgets on one pod: the server says 500 for ever.
  if (error.code === 500 && /more than one PodDisruptionBudget/.test(error.message)) return { reason: 'matches more than one PodDisruptionBudget, which the eviction API does not support' };
  if (isTransient(error)) return 'transient';
  return { reason: `eviction refused (${error.code} ${error.reason}): ${error.message}` };
}

function drainPod(pod: V1Pod, daemonSets: ReadonlySet<string>): DrainPod {
  const controller = controllerOf(pod);
  const namespace = pod.metadata?.namespace ?? '';
  return {
    namespace,
    name: pod.metadata?.name ?? '',
    uid: pod.metadata?.uid ?? '',
    nodeName: pod.spec?.nodeName ?? '',
    phase: pod.status?.phase ?? 'Unknown',
    ...(pod.metadata?.deletionTimestamp ? { deletionTimestamp: new Date(pod.metadata.deletionTimestamp).toISOString() } : {}),
    mirror: isMirror(pod),
    ...(controller ? { controller } : {}),
    daemonSetExists: controller?.kind === 'DaemonSet' && daemonSets.has(`${namespace}/${controller.name}`),
    emptyDir: pod.spec?.volumes?.some((volume) => volume.emptyDir !== undefined) ?? false,
  };
}

/** By pod and by what holds it, not by the words: those count healthy pods and seconds, and change all the time. */
function sameBlockers(a: readonly Blocker[], b: readonly Blocker[]): boolean {
  const cause = ({ budget, reason }: Blocker): string => budget ?? /^eviction refused \(([^)]*)\)/.exec(reason)?.[1] ?? reason;
  const key = (list: readonly Blocker[]): string => list.map((blocker) => `${blocker.pod} ${cause(blocker)}`).sort().join('\n');
  return key(a) === key(b);
}
