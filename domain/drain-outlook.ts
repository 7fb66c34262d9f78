/** What a plan can say of its drains beforehand. */
import type { ClusterSpec } from './cluster.js';
import type { DrainPod } from './drain-rules.js';
import { drainDecision } from './drain-rules.js';
import type { BudgetFacts, ClusterFacts, DrainPodFacts, NodeFacts } from './facts.js';
import { staticPodsAt } from './running.js';
import { upstreamOf } from './packages.js';
import type { Target } from './target.js';
import { compareVersions, formatVersion, parseVersion, type Version } from './version.js';

/** A pod of the facts as the drain rules want it. Its DaemonSet counts as present unless the facts say otherwise: the drain looks it up again. */
export const drainPodOf = (pod: DrainPodFacts): DrainPod => ({
  namespace: pod.namespace,
  name: pod.name,
  uid: `${pod.namespace}/${pod.name}`,
  nodeName: pod.node,
  phase: pod.finished ? 'Succeeded' : 'Running',
  mirror: pod.mirror,
  emptyDir: pod.emptyDir,
  ...controllerOf(pod),
});

function controllerOf(pod: DrainPodFacts): Pick<DrainPod, 'controller' | 'daemonSetExists'> {
  if (pod.daemonSet) return { controller: { kind: 'DaemonSet', name: pod.controller ?? '', apiVersion: 'apps/v1' }, daemonSetExists: pod.daemonSetGone !== true };
  return pod.controller === undefined ? {} : { controller: { kind: 'Controller', name: pod.controller, apiVersion: '' } };
}

/** Everything on this node is at the version: kubelet as it runs and as packaged, kubeadm, and on a control plane its static pods. */
export function isDone(facts: ClusterFacts, node: NodeFacts, version: Version): boolean {
  const kubelet = node.api ? parseVersion(node.api.kubeletVersion) : undefined;
  if (!kubelet || compareVersions(kubelet, version) !== 0 || !node.host?.reached) return false;
  const { packages } = node.host.host;
  const wanted = formatVersion(version);
  const packaged = [packages.kubeadm, packages.kubelet].every((p) => p !== undefined && upstreamOf(p) === wanted);
  return packaged && (node.role === 'worker' || staticPodsAt(facts, node.name, version));
}

/** Control-plane nodes are always drained; workers unless the operator takes a downtime window without. */
export const isDrained = (node: { readonly role: NodeFacts['role'] }, spec: ClusterSpec): boolean =>
  node.role === 'control-plane' || spec.upgrade.workers === 'rolling' || spec.upgrade.drainAllAtOnce;

/** The nodes that this upgrade will drain. */
export const drains = (facts: ClusterFacts, spec: ClusterSpec, target: Target): readonly NodeFacts[] =>
  facts.nodes.filter((node) => node.configured && isDrained(node, spec) && !(target.version && isDone(facts, node, target.version)));

/** Pods and budgets by node, looked up once: a cluster may have thousands of nodes. */
export interface DrainOutlook {
  readonly podsOn: (node: string) => readonly DrainPodFacts[];
  /** Budgets that select a pod on the node. */
  readonly budgetsOn: (node: string) => readonly { readonly budget: BudgetFacts; readonly pods: number }[];
}

export function drainOutlook(facts: ClusterFacts): DrainOutlook {
  const pods = new Map<string, DrainPodFacts[]>();
  for (const pod of facts.pods.known ? facts.pods.value : []) push(pods, pod.node, pod);
  const budgets = new Map<string, { budget: BudgetFacts; pods: number }[]>();
  for (const budget of facts.budgets.known ? facts.budgets.value : []) {
    const counts = new Map<string, number>();
    for (const { node } of budget.pods) if (node !== undefined) counts.set(node, (counts.get(node) ?? 0) + 1);
    for (const [node, count] of counts) push(budgets, node, { budget, pods: count });
  }
  return { podsOn: (node) => pods.get(node) ?? [], budgetsOn: (node) => budgets.get(node) ?? [] };
}

function push<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}

/** How many pods of the node a drain evicts. */
export const podsToEvict = (outlook: DrainOutlook, node: string, spec: ClusterSpec): number =>
  drainDecision(outlook.podsOn(node).map(drainPodOf), spec.drain).evict.length;

/** Budgets that do not let all their pods on the node go at once: they set the pace of its drain. */
export const bindingBudgets = (outlook: DrainOutlook, node: string): readonly string[] =>
  outlook.budgetsOn(node).filter(({ budget, pods }) => budget.disruptionsAllowed < pods).map(({ budget }) => `${budget.namespace}/${budget.name}`);
