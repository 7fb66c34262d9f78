/** Is the cluster whole enough to take a node out of it? */
import type { ComponentFacts } from '../facts.js';
import type { Finding } from '../plan.js';
import { componentsOf } from '../running.js';
import { parseVersion } from '../version.js';
import { apiNodes, type Check, refusal, valueOr, warning } from './check.js';
import { CHECKS } from './names.js';

export const nodesReady: Check = ({ facts }) =>
  apiNodes(facts)
    .filter((node) => !node.ready)
    .map((node) => refusal('node-not-ready', { node: node.name, message: `Node ${node.name} is not Ready`, evidence: node.notReadyWhy ?? 'condition Ready is not True' }));

export const noPressure: Check = ({ facts }) =>
  apiNodes(facts)
    .filter((node) => node.pressures.length > 0)
    .map((node) => refusal('node-pressure', { node: node.name, message: `Node ${node.name} reports ${node.pressures.join(', ')}`, evidence: node.pressures.join(', ') }));

/**
 * Cordons count whoever set them. With several control planes a cordoned one is a maintenance under way, and a second one may not begin
 * (openshift/cluster-etcd-operator#1663: the cordon is the earliest signal there is). A worker, or the only control plane, keeps its cordon.
 */
export const cordons: Check = ({ facts }) => {
  const nodes = apiNodes(facts);
  const several = nodes.filter((n) => n.role === 'control-plane').length > 1;
  return nodes
    .filter((node) => node.unschedulable)
    .map((node): Finding => {
      const by = node.cordonedBy === undefined ? 'somebody' : `drydock's run ${node.cordonedBy}`;
      const detail = { node: node.name, message: `Node ${node.name} was cordoned by ${by}`, evidence: 'spec.unschedulable is true' };
      if (several && node.role === 'control-plane') return refusal('control-plane-cordoned', { ...detail, next: CHECKS[node.cordonedBy === undefined ? 'control-plane-cordoned' : 'left-over-cordon'] });
      if (node.cordonedBy !== undefined) return warning('left-over-cordon', detail);
      return warning('already-cordoned', { ...detail, message: `${detail.message}; it stays cordoned` });
    });
};

const ON_EVERY_CONTROL_PLANE = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

/** Every control-plane node runs its three static pods; a missing one is not found by looking at those that are there. */
export const componentsPresent: Check = ({ facts }) => {
  if (!facts.components.known) return [];
  return apiNodes(facts)
    .filter((node) => node.role === 'control-plane')
    .flatMap((node) =>
      ON_EVERY_CONTROL_PLANE.filter((name) => !componentsOf(facts, name).some((c) => c.node === node.name)).map((name) =>
        refusal('component-missing', { node: node.name, message: `${name} does not run on control-plane node ${node.name}` }),
      ),
    );
};

const isControlPlanePod = (c: ComponentFacts): boolean => c.component === 'etcd' || ON_EVERY_CONTROL_PLANE.some((name) => name === c.component);

/** An unready addon hurts, but an upgrade may be what repairs it; an unready control-plane pod means that something is away already. */
export const componentsReady: Check = ({ facts }) =>
  valueOr(facts.components, [])
    .filter((c) => !c.ready)
    .map((c) => {
      const where = c.node === undefined ? '' : ` on ${c.node}`;
      const detail = { ...(c.node === undefined ? {} : { node: c.node }), message: `${c.component}${where} is not ready`, evidence: c.image };
      return isControlPlanePod(c) ? refusal('component-not-ready', detail) : warning('component-not-ready', detail);
    });

export const componentVersions: Check = ({ facts }) =>
  valueOr(facts.components, [])
    .filter((c) => isControlPlanePod(c) && parseVersion(c.version ?? '') === undefined)
    .map((c) => refusal('unknown-component-version', { ...(c.node === undefined ? {} : { node: c.node }), message: `The version of ${c.component} cannot be told from its image`, evidence: c.image }));
