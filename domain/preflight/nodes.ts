/** The file against the cluster: are these the nodes of that cluster, and all of them? */
import type { NodeFacts } from '../facts.js';
import type { Finding } from '../plan.js';
import { apiNodes, type Check, refusal } from './check.js';

export const nodesOfTheFile: Check = ({ facts, spec }) => {
  const inCluster = new Set(facts.nodes.filter((n) => n.api).map((n) => n.name));
  return spec.nodes
    .filter(({ name }) => facts.apiServer.known && !inCluster.has(name))
    .map(({ name }) =>
      refusal('node-not-in-cluster', {
        node: name,
        message: `Node ${name} of drydock.yaml is not in the cluster`,
        evidence: `the cluster has ${[...inCluster].join(', ') || 'no nodes'}`,
      }),
    );
};

/**
 * One run keeps its history in one workflow: some 60 events and a dozen signals a node (seen on the lab), and the server ends a run at 51,200 events or 10,000 signals.
 */
export const MOST_NODES = 500;

export const notTooMany: Check = ({ spec }) =>
  spec.nodes.length <= MOST_NODES
    ? []
    : [refusal('too-many-nodes', { message: `One run carries at most ${MOST_NODES} nodes, and drydock.yaml has ${spec.nodes.length}`, evidence: `${spec.nodes.length} nodes` })];

/** Every node must be in the file: a kubelet left behind would break the version skew unseen. */
export const nodesOfTheCluster: Check = ({ facts, spec }) => {
  const inFile = new Set(spec.nodes.map((n) => n.name));
  return apiNodes(facts)
    .filter(({ name }) => !inFile.has(name))
    .map(({ name, addresses, kubeletVersion }) =>
      refusal('node-not-in-file', {
        node: name,
        message: `Node ${name} of the cluster is not in drydock.yaml`,
        evidence: `kubelet ${kubeletVersion}, addresses ${addresses.join(', ') || 'unknown'}`,
      }),
    );
};

export const roles: Check = ({ facts, spec }) =>
  spec.nodes.flatMap(({ name, role }) => {
    const api = facts.nodes.find((n) => n.name === name)?.api;
    if (!api || api.role === role) return [];
    return [refusal('role-mismatch', { node: name, message: `Node ${name} is a ${role} in drydock.yaml and a ${api.role} in the cluster`, evidence: `label node-role.kubernetes.io/control-plane ${api.role === 'control-plane' ? 'present' : 'absent'}` })];
  });

/**
 * The machine behind each SSH address must be the machine that the API server knows by that name. One that is another node of the same
 * cluster is a slip in the file; one that the cluster does not know at all means that file and kubeconfig are of different clusters.
 */
export const sameMachines: Check = ({ facts }) => {
  const strangers = facts.nodes.flatMap((node) => {
    const ids = machineIds(node);
    return ids && ids.host !== ids.api ? [{ name: node.name, ...ids }] : [];
  });
  return strangers.map(({ name, host, api }): Finding => {
    const real = apiNodes(facts).find((n) => n.machineId === host);
    const evidence = `machine id by SSH ${host}, by the API server ${api}`;
    return real
      ? refusal('wrong-host', { node: name, message: `The host of ${name} in drydock.yaml is the machine of node ${real.name}`, evidence })
      : refusal('wrong-cluster', { node: name, message: `The kubeconfig is of another cluster: the machine reached as ${name} is not the cluster's ${name}`, evidence });
  });
};

function machineIds({ api, host }: NodeFacts): { readonly host: string; readonly api: string } | undefined {
  if (!api || !host?.reached || api.machineId === '' || host.host.machineId === '') return undefined;
  return { host: host.host.machineId, api: api.machineId };
}

/** Temporal and the worker live outside: on a node of this cluster they would drain or restore themselves away. */
export const workerOutside: Check = ({ facts }) =>
  facts.nodes.flatMap(({ name, api, host }) => {
    const ids = [api?.machineId, host?.reached ? host.host.machineId : undefined].filter((id) => id);
    const sameMachine = facts.workerMachineId !== undefined && facts.workerMachineId !== '' && ids.includes(facts.workerMachineId);
    const shared = facts.workerAddresses.filter((address) => !isLoopback(address) && (api?.addresses ?? []).includes(address));
    if (!sameMachine && shared.length === 0) return [];
    const evidence = sameMachine ? `machine id ${facts.workerMachineId}` : `address ${shared.join(', ')}`;
    return [refusal('worker-in-cluster', { node: name, message: `Temporal or the drydock worker runs on node ${name} of this cluster`, evidence })];
  });

/** Every machine has these; they identify none. */
const isLoopback = (address: string): boolean => address === 'localhost' || address === '::1' || address.startsWith('127.');
