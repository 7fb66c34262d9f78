/** A machine of a lab cluster. */
export interface LabNode {
  name: string;
  /** Its address on the lab's network, reachable from this machine. */
  ip: string;
  role: 'control-plane' | 'worker';
}

/** A cluster of the lab. All paths are absolute. */
export interface LabCluster {
  name: string;
  /** The version it was made with; it may have been upgraded since. */
  version: string;
  /** The folder that holds what is written for it. */
  dir: string;
  /** Administrator's kubeconfig, usable from this machine. */
  kubeconfig: string;
  /** The configuration of drydock for it. */
  config: string;
  /** Private key that root, ops and nopass of each node accept. */
  sshKey: string;
  /** Host keys of its nodes, by name and by address. */
  knownHosts: string;
  /** host:port of the API server, or of the load balancer before several. */
  endpoint: string;
  nodes: LabNode[];
  /** When it was made, as an ISO date. */
  startedAt: string;
}

/** What a cluster is to be. */
export interface LabSpec {
  name: string;
  /** A minor such as 1.36, or an exact version. */
  version: string;
  /** 1 to 3; a load balancer stands before more than one. Default 1. */
  controlPlanes?: number;
  /** Default 2. */
  workers?: number;
  /** Further versions whose packages and images must be there: those it will be upgraded to. */
  with?: string[];
  /** The folder that `.lab/NAME` is made in. Default: the current one. */
  folder?: string;
}

/** Containers and networks carry the cluster's name, so it is kept short and plain. */
export const NAME_RULE = /^[a-z][a-z0-9]{0,14}$/;

/** Nodes by name and address: control planes from .11 on, workers from .21 on, a load balancer at .10. */
export function planNodes(name: string, network: string, controlPlanes: number, workers: number): LabNode[] {
  const some = (count: number, role: LabNode['role'], short: string, from: number): LabNode[] =>
    Array.from({ length: count }, (_, index) => ({ name: `${name}-${short}${index + 1}`, ip: `${network}.${from + index}`, role }));
  return [...some(controlPlanes, 'control-plane', 'cp', 11), ...some(workers, 'worker', 'w', 21)];
}

export const controlPlanesOf = ({ nodes }: Pick<LabCluster, 'nodes'>): LabNode[] => nodes.filter((node) => node.role === 'control-plane');
export const workersOf = ({ nodes }: Pick<LabCluster, 'nodes'>): LabNode[] => nodes.filter((node) => node.role === 'worker');
