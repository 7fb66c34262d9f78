/** What the drains will meet: pods that may not go, and budgets that will not let go. */
import { drainDecision, type DrainRule } from '../drain-rules.js';
import { drainOutlook, drainPodOf, drains } from '../drain-outlook.js';
import type { BudgetFacts } from '../facts.js';
import type { Finding } from '../plan.js';
import { resolveMaxUnavailable } from '../batch.js';
import { controlPlaneVersion } from '../running.js';
import { apiNodes, type Check, count, listed, refusal, type TargetCheck, type TargetScene, valueOr, warning } from './check.js';
import type { CheckName } from './names.js';

const REFUSED: Partial<Record<DrainRule, { readonly check: CheckName; readonly what: string }>> = {
  unmanaged: { check: 'unmanaged-pods', what: 'without a controller, which would not come back' },
  'empty-dir': { check: 'emptydir-pods', what: 'with emptyDir data, which would be lost' },
  'daemon-set': { check: 'orphan-daemonset-pods', what: 'of a DaemonSet that does not exist any more' },
};

const nodesToDrain = ({ facts, spec, target }: TargetScene): readonly string[] => drains(facts, spec, target).map((n) => n.name);

/** The same rules as the drain itself, asked before anything is touched. */
export const podsMayGo: TargetCheck = (scene) => {
  const outlook = drainOutlook(scene.facts);
  return nodesToDrain(scene).flatMap((node) => {
    const { refuse } = drainDecision(outlook.podsOn(node).map(drainPodOf), scene.spec.drain);
    return (Object.keys(REFUSED) as DrainRule[]).flatMap((rule): readonly Finding[] => {
      const found = refuse.filter((d) => d.verdict.rule === rule).map(({ pod }) => `${pod.namespace}/${pod.name}`);
      const kind = REFUSED[rule];
      return !kind || found.length === 0 ? [] : [refusal(kind.check, { node, message: `${node} has ${count(found.length, 'pod')} ${kind.what}: ${listed(found)}`, evidence: listed(found, EVIDENCE) })];
    });
  });
};

/** Names in the evidence: findings travel through Temporal, whose payloads are limited. */
const EVIDENCE = 50;
const nameOf = (b: BudgetFacts): string => `${b.namespace}/${b.name}`;

/** Budgets that select a pod on one of these nodes. */
function budgetsOn({ facts, spec, target }: TargetScene): readonly BudgetFacts[] {
  const nodes = new Set(nodesToDrain({ facts, spec, target }));
  return valueOr(facts.budgets, []).filter((b) => b.pods.some((p) => p.node !== undefined && nodes.has(p.node)));
}

export const budgetsAllow: TargetCheck = (scene) =>
  budgetsOn(scene).flatMap((b): readonly Finding[] => {
    const evidence = `disruptionsAllowed ${b.disruptionsAllowed}, healthy ${b.currentHealthy}, wanted ${b.desiredHealthy}, pods ${b.expectedPods}`;
    if (!b.observed) return [warning('budget-unobserved', { message: `Budget ${nameOf(b)} has not been seen by its controller yet`, evidence })];
    if (b.disruptionsAllowed > 0 || b.expectedPods > b.desiredHealthy) return [];
    return [warning('budget-never-allows', { message: `Budget ${nameOf(b)} can never allow an eviction (${count(b.expectedPods, 'pod')}, ${b.desiredHealthy} must stay): the drain will block`, evidence })];
  });

/** With two budgets on a pod the API server answers 500 to every eviction, for ever. */
export const oneBudgetPerPod: TargetCheck = (scene) => {
  const nodes = new Set(nodesToDrain(scene));
  const budgetsOf = grouped(budgetsOn(scene).flatMap((b) => b.pods.filter((p) => p.node !== undefined && nodes.has(p.node)).map((p) => [p.name, nameOf(b)] as const)));
  const podsOf = grouped([...budgetsOf].filter(([, budgets]) => budgets.length > 1).map(([pod, budgets]) => [[...budgets].sort().join(' and '), pod] as const));
  return [...podsOf].map(([budgets, pods]) =>
    refusal('two-budgets', { message: `Budgets ${budgets} select the same pods, so none of them can be evicted: ${listed(pods)}`, evidence: listed(pods, EVIDENCE) }),
  );
};

function grouped(pairs: readonly (readonly [key: string, value: string])[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const [key, value] of pairs) {
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

/** A cluster of one node has nowhere to move pods to. */
export const somewhereToGo: TargetCheck = (scene) => {
  const open = apiNodes(scene.facts).filter((node) => node.ready && !node.unschedulable).map((node) => node.name);
  return nodesToDrain(scene)
    .filter((node) => open.length === 0 || (open.length === 1 && open[0] === node))
    .map((node) => warning('nowhere-to-drain', { node, message: `No other node can take the pods of ${node}` }));
};

/** A kubelet of another minor wants a drained node (kubernetes.io "Version Skew Policy"); in a downtime window that is the operator's choice. */
export const undrained: TargetCheck = ({ facts, spec, target }) => {
  const running = controlPlaneVersion(facts);
  const inPlace = spec.upgrade.workers === 'all-at-once' && !spec.upgrade.drainAllAtOnce && spec.nodes.some((n) => n.role === 'worker');
  if (!inPlace || !running || running.minor === target.minor) return [];
  return [warning('undrained-kubelet', { message: 'The workers\' kubelets go to another minor without a drain, which upstream does not support: expect containers to restart', evidence: 'upgrade.workers is all-at-once, upgrade.drainAllAtOnce is false' })];
};

export const batchSize: Check = ({ spec }) => {
  const workers = spec.nodes.filter((n) => n.role === 'worker').length;
  return resolveMaxUnavailable(spec.upgrade.maxUnavailable, workers) === undefined
    ? [refusal('bad-max-unavailable', { message: `upgrade.maxUnavailable is "${spec.upgrade.maxUnavailable}"`, evidence: spec.upgrade.maxUnavailable })]
    : [];
};
