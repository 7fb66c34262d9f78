/** What a plan can say of its drains beforehand. */
import type { ClusterSpec } from './cluster.js';
import type { DrainPod } from './drain-rules.js';
import { drainDecision } from './drain-rules.js';
import type { ClusterFacts, DrainPodFacts, NodeFacts } from './facts.js';
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

/** How many pods of the node a drain evicts. */
export function podsToEvict(facts: ClusterFacts, node: string, spec: ClusterSpec): number {
  const pods = facts.pods.known ? facts.pods.value.filter((p) => p.node === node) : [];
  return drainDecision(pods.map(drainPodOf), spec.drain).evict.length;
}

/** Budgets that select a pod on the node and leave no or just one disruption: they set the pace of its drain. */
export function bindingBudgets(facts: ClusterFacts, node: string): readonly string[] {
  const budgets = facts.budgets.known ? facts.budgets.value : [];
  return budgets
    .filter((b) => b.disruptionsAllowed < Math.max(1, b.pods.filter((p) => p.node === node).length) && b.pods.some((p) => p.node === node))
    .map((b) => `${b.namespace}/${b.name}`);
}
