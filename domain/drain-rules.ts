/**
 * Which pods a drain evicts, leaves, or refuses to touch: kubectl's filters in kubectl's order.
 * Source: kubernetes/kubectl pkg/drain/filters.go. The first verdict that is not `evict` wins, and one refused pod stops the node
 * before anything is evicted.
 */
export interface DrainPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly nodeName: string;
  /** `Running`, `Pending`, `Succeeded`, `Failed`, `Unknown`. */
  readonly phase: string;
  /** ISO 8601; the grace period is already in it. */
  readonly deletionTimestamp?: string;
  /** Has the annotation kubernetes.io/config.mirror: a static pod. */
  readonly mirror: boolean;
  /** The owner reference with `controller: true`. */
  readonly controller?: { readonly kind: string; readonly name: string; readonly apiVersion: string };
  /** The DaemonSet was looked up and exists; undefined when it was not looked up. */
  readonly daemonSetExists?: boolean;
  readonly emptyDir: boolean;
  /** terminationGracePeriodSeconds of the pod. */
  readonly graceSeconds?: number;
}

export interface DrainRules {
  readonly deleteEmptyDirData: boolean;
  readonly evictUnmanaged: boolean;
  /** kubectl's --ignore-daemonsets; true unless said otherwise, because no node is without them. */
  readonly ignoreDaemonSets?: boolean;
  /** kubectl's --skip-wait-for-delete-timeout: leave pods that have been deleting for longer than this. 0 or absent: off. */
  readonly skipDeletingAfterSeconds?: number;
}

export type DrainRule = 'deleting' | 'daemon-set' | 'mirror' | 'empty-dir' | 'unmanaged' | 'extra' | 'plain';

export interface PodVerdict {
  readonly verdict: 'evict' | 'skip' | 'refuse';
  /** The rule that decided. */
  readonly rule: DrainRule;
  /** One sentence: why, or what is lost. */
  readonly reason: string;
}

type Filter = (pod: DrainPod, rules: DrainRules, now: number) => PodVerdict;

const evict = (rule: DrainRule, reason: string): PodVerdict => ({ verdict: 'evict', rule, reason });
const skip = (rule: DrainRule, reason: string): PodVerdict => ({ verdict: 'skip', rule, reason });
const refuse = (rule: DrainRule, reason: string): PodVerdict => ({ verdict: 'refuse', rule, reason });
const PLAIN = evict('plain', 'has a controller that starts it again');

/** A finished pod may always go: it holds no work. */
export const isFinished = (pod: Pick<DrainPod, 'phase'>): boolean => pod.phase === 'Succeeded' || pod.phase === 'Failed';

const deleting: Filter = (pod, rules, now) => {
  const limit = rules.skipDeletingAfterSeconds ?? 0;
  if (limit <= 0 || pod.deletionTimestamp === undefined) return PLAIN;
  return now - Date.parse(pod.deletionTimestamp) > limit * 1000
    ? skip('deleting', `has been deleting for more than ${limit} s and is not waited for`)
    : PLAIN;
};

/** Only apps/v1: a foreign kind that happens to be called DaemonSet is drained like any other. */
const daemonSet: Filter = (pod, rules) => {
  const owner = pod.controller;
  if (owner?.kind !== 'DaemonSet' || owner.apiVersion !== 'apps/v1' || isFinished(pod)) return PLAIN;
  if (pod.daemonSetExists === undefined) return refuse('daemon-set', `its DaemonSet ${owner.name} was not looked up`);
  if (!pod.daemonSetExists) {
    const text = `its DaemonSet ${owner.name} does not exist any more`;
    return rules.evictUnmanaged ? evict('daemon-set', text) : refuse('daemon-set', `${text} (drain.evictUnmanaged is false)`);
  }
  return rules.ignoreDaemonSets === false
    ? refuse('daemon-set', `belongs to DaemonSet ${owner.name}`)
    : skip('daemon-set', `belongs to DaemonSet ${owner.name}, which would start it again here`);
};

const mirror: Filter = (pod) => (pod.mirror ? skip('mirror', 'is a static pod; only its manifest on the node can end it') : PLAIN);

const emptyDir: Filter = (pod, rules) => {
  if (!pod.emptyDir || isFinished(pod)) return PLAIN;
  return rules.deleteEmptyDirData
    ? evict('empty-dir', 'its emptyDir data is lost')
    : refuse('empty-dir', 'has emptyDir data that would be lost (drain.deleteEmptyDirData is false)');
};

const unmanaged: Filter = (pod, rules) => {
  if (pod.controller !== undefined || isFinished(pod)) return PLAIN;
  return rules.evictUnmanaged
    ? evict('unmanaged', 'has no controller and does not come back')
    : refuse('unmanaged', 'has no controller and would not come back (drain.evictUnmanaged is false)');
};

const FILTERS: readonly Filter[] = [deleting, daemonSet, mirror, emptyDir, unmanaged];

/** One pod's verdict. `extra` filters come last, as kubectl's own library users add them. `now` is milliseconds since the epoch. */
export function podVerdict(pod: DrainPod, rules: DrainRules, now: number, extra: readonly Filter[] = []): PodVerdict {
  let last = PLAIN;
  for (const filter of [...FILTERS, ...extra]) {
    const verdict = filter(pod, rules, now);
    if (verdict.verdict !== 'evict') return verdict;
    // Unlike kubectl, a warning of an earlier filter is kept: an evicted pod without controller may lose data as well.
    if (verdict.rule !== 'plain') last = last.rule === 'plain' ? verdict : evict(last.rule, `${last.reason}; ${verdict.reason}`);
  }
  return last;
}

export interface DecidedPod {
  readonly pod: DrainPod;
  readonly verdict: PodVerdict;
}

export interface DrainDecision {
  readonly evict: readonly DecidedPod[];
  readonly skip: readonly DecidedPod[];
  /** Not empty: nothing on this node may be evicted. */
  readonly refuse: readonly DecidedPod[];
}

/** The whole node at once, before the first eviction. */
export function drainDecision(pods: readonly DrainPod[], rules: DrainRules, now = 0): DrainDecision {
  const decided = pods.map((pod) => ({ pod, verdict: podVerdict(pod, rules, now) }));
  const by = (verdict: PodVerdict['verdict']): readonly DecidedPod[] => decided.filter((d) => d.verdict.verdict === verdict);
  return { evict: by('evict'), skip: by('skip'), refuse: by('refuse') };
}

/** "The same pod" is the same UID on the same node: a StatefulSet's pod comes back elsewhere under its old name. */
export const isSamePod = (a: DrainPod, b: DrainPod): boolean => a.uid === b.uid && a.nodeName === b.nodeName;
