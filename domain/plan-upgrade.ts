/** The upgrade's plan: pure, from what was seen and what is wanted. Either a plan, or every reason against one at once. */
import { inWaves, resolveMaxUnavailable } from './batch.js';
import type { ClusterSpec } from './cluster.js';
import { digestOf } from './digest.js';
import { bindingBudgets, type DrainOutlook, drainOutlook, isDone, isDrained, podsToEvict } from './drain-outlook.js';
import type { ClusterFacts, NodeFacts } from './facts.js';
import { inWorkOrder } from './order.js';
import { pickPackage } from './packages.js';
import type { Finding, Hop, Plan, PlannedNode, PlanResult, UpgradePolicy } from './plan.js';
import { refusal } from './preflight/check.js';
import { preflight } from './preflight/index.js';
import { apiServerVersions, kubeletVersions, oldest } from './running.js';
import { nextTarget, resolveTarget, type Target } from './target.js';
import { compareVersions, formatVersion, minorOf, parseVersion, type Version } from './version.js';

export interface UpgradeRequest {
  /** `1.37`, `1.37.2`, or `next`: the minor above the control plane's. */
  readonly to: string;
  readonly spec: ClusterSpec;
}

export function planUpgrade(facts: ClusterFacts, { to, spec }: UpgradeRequest): PlanResult {
  const { target, findings } = judge(facts, to, spec);
  const refusals = findings.filter((f) => f.severity === 'refusal');
  const warnings = findings.filter((f) => f.severity === 'warning');
  if (refusals.length > 0 || !target?.version) return { planned: false, refusals, warnings };
  return { planned: true, plan: planOf(facts, spec, target.version, warnings) };
}

/** The target's own text is judged first; a bad one does not hide what else is wrong. Nothing above the newest minor: only the cluster is judged. */
function judge(facts: ClusterFacts, to: string, spec: ClusterSpec): { readonly target?: Target; readonly findings: readonly Finding[] } {
  const text = to === 'next' ? nextTarget(facts) : to;
  if (text === undefined) return { findings: preflight(facts, undefined, spec) };
  const target = resolveTarget(text, facts);
  if (target) return { target, findings: preflight(facts, target, spec) };
  const bad = refusal('bad-target', { message: `"${to}" is no Kubernetes version; 1.37 or 1.37.2 was expected`, evidence: to });
  return { findings: [bad, ...preflight(facts, undefined, spec)] };
}

function planOf(facts: ClusterFacts, spec: ClusterSpec, target: Version, warnings: readonly Finding[]): Plan {
  const from = oldest([...apiServerVersions(facts), ...kubeletVersions(facts).map((k) => k.version)]) ?? target;
  const policy = policyOf(spec);
  const hop: Hop = { from: formatVersion(from), to: formatVersion(target), minor: minorOf(target), nodes: plannedNodes(facts, spec, target) };
  const clusterUid = facts.clusterUid.known ? facts.clusterUid.value : '';
  return {
    cluster: facts.cluster,
    clusterUid,
    from: hop.from,
    to: hop.to,
    hops: [hop],
    policy,
    warnings,
    estimateSeconds: estimateSeconds(hop.nodes, policy),
    digest: digestOf({ cluster: facts.cluster, clusterUid, policy, hops: [carriedOut(hop)] }),
  };
}

/** For `all-at-once` the cap of nodes in parallel is what may be away at once. */
export function policyOf(spec: ClusterSpec): UpgradePolicy {
  const workers = spec.nodes.filter((n) => n.role === 'worker').length;
  const maxUnavailable =
    spec.upgrade.workers === 'all-at-once' ? Math.max(1, spec.upgrade.maxParallel) : (resolveMaxUnavailable(spec.upgrade.maxUnavailable, workers) ?? 1);
  return { workers: spec.upgrade.workers, maxUnavailable };
}

function plannedNodes(facts: ClusterFacts, spec: ClusterSpec, target: Version): readonly PlannedNode[] {
  const nodes = inWorkOrder(facts.nodes.filter((n) => n.configured && n.api), spec.upgrade.order);
  const first = nodes.find((n) => n.role === 'control-plane')?.name;
  const outlook = drainOutlook(facts);
  return nodes.map((node) => plannedNode({ facts, spec, target, outlook }, node, node.name === first));
}

interface Scene {
  readonly facts: ClusterFacts;
  readonly spec: ClusterSpec;
  readonly target: Version;
  readonly outlook: DrainOutlook;
}

function plannedNode({ facts, spec, target, outlook }: Scene, node: NodeFacts, first: boolean): PlannedNode {
  return {
    name: node.name,
    role: node.role,
    from: withoutV(node.api?.kubeletVersion ?? ''),
    to: formatVersion(target),
    packages: packagesFor(node, spec, formatVersion(target)),
    kubeadm: first ? 'apply' : 'node',
    drain: isDrained(node, spec),
    keepCordon: node.api?.unschedulable === true && node.api.cordonedBy === undefined,
    pods: podsToEvict(outlook, node.name, spec),
    budgets: bindingBudgets(outlook, node.name),
    done: isDone(facts, node, target) && (!first || kubeadmConfigAt(facts, target)),
  };
}

/** `upgrade apply` writes the version into kubeadm-config near its end: while that is old, the first node is not done. */
function kubeadmConfigAt(facts: ClusterFacts, target: Version): boolean {
  const version = facts.kubeadm.known ? parseVersion(facts.kubeadm.value.version) : undefined;
  return version !== undefined && compareVersions(version, target) === 0;
}

function packagesFor(node: NodeFacts, spec: ClusterSpec, version: string): PlannedNode['packages'] {
  const offers = node.host?.reached && node.host.host.candidates.known ? node.host.host.candidates.value : undefined;
  const pick = (name: 'kubeadm' | 'kubelet' | 'kubectl'): string => pickPackage(offers?.[name] ?? [], version, spec.packages.revision) ?? version;
  return { kubeadm: pick('kubeadm'), kubelet: pick('kubelet'), kubectl: pick('kubectl') };
}

const withoutV = (version: string): string => version.replace(/^v/, '');

/** What is carried out, and nothing that changes by itself between a plan and its approval. */
const carriedOut = (hop: Hop): unknown => ({
  ...hop,
  nodes: hop.nodes.map(({ pods: _pods, budgets: _budgets, ...node }) => node),
});

/** Measured on clusters of 3 + 2 nodes: 84% of an upgrade is kubeadm restarting static pods. */
const CONTROL_PLANE_SECONDS = 180;
const WORKER_SECONDS = 30;
const SECONDS_PER_POD = 1;

/** Control planes one after another, workers in waves as long as their slowest node. */
export function estimateSeconds(nodes: readonly PlannedNode[], policy: UpgradePolicy): number {
  const open = nodes.filter((n) => !n.done);
  const secondsOf = (n: PlannedNode): number => (n.role === 'control-plane' ? CONTROL_PLANE_SECONDS : WORKER_SECONDS) + (n.drain ? n.pods * SECONDS_PER_POD : 0);
  const controlPlane = open.filter((n) => n.role === 'control-plane').map(secondsOf);
  const waves = inWaves(open.filter((n) => n.role === 'worker'), policy.maxUnavailable).map((wave) => Math.max(...wave.map(secondsOf)));
  return [...controlPlane, ...waves].reduce((sum, seconds) => sum + seconds, 0);
}
