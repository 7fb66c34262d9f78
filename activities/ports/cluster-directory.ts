import type { ClusterSpec, NodeSpec } from '../../domain/cluster.js';
import { StepFailure } from '../failure.js';

/** The clusters that this worker knows, by name. Throws StepFailure ClusterUnknown or ConfigInvalid. */
export interface ClusterDirectory {
  spec(cluster: string): Promise<ClusterSpec>;
}

/** The node of that name. Throws StepFailure NodeNotFound. */
export function nodeOf(cluster: ClusterSpec, name: string): NodeSpec {
  const node = cluster.nodes.find((candidate) => candidate.name === name);
  if (!node) {
    const names = cluster.nodes.map((candidate) => candidate.name).join(', ');
    throw new StepFailure('NodeNotFound', `The configuration of cluster ${cluster.cluster} has no node ${JSON.stringify(name)}; it has ${names}.`);
  }
  return node;
}
