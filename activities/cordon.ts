import type { V1Node } from '@kubernetes/client-node';
import type { ClusterSpec } from '../domain/cluster.js';
import { StepFailure } from './failure.js';
import { getNode } from './kube/objects.js';
import { type KubeApi, kubePath } from './ports/kube-api.js';

/** Names the run that cordoned the node; an operator's own cordon has no such annotation and is never removed. */
export const CORDONED_BY = 'drydock/cordoned-by';

/** When, by the worker's clock. */
export const CORDONED_AT = 'drydock/cordoned-at';
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
/** The controller manager adds the taint soon after the cordon; clocks differ a little. */
const TAINT_MS = 60_000;

export interface CordonResult {
  /** The cordon is drydock's: it may be removed by drydock. */
  readonly ours: boolean;
}

export const cordonOwner = (node: V1Node): string | undefined => node.metadata?.annotations?.[CORDONED_BY];

/**
 * Makes a node unschedulable and notes the run on it. A node that somebody else cordoned stays theirs. A cordon that an earlier, dead run of
 * drydock left behind is taken over, unless somebody took it away and cordoned the node again: then it is theirs, and the old mark goes.
 */
export async function cordon(kube: KubeApi, cluster: ClusterSpec, name: string, run: string): Promise<CordonResult> {
  const node = await getNode(kube, cluster, name);
  const owner = cordonOwner(node);
  if (node.spec?.unschedulable && owner === undefined) return { ours: false };
  if (node.spec?.unschedulable && owner !== run && cordonedAgain(node)) {
    await patchNode(kube, cluster, node, { metadata: { annotations: { [CORDONED_BY]: null, [CORDONED_AT]: null } }, spec: {} });
    return { ours: false };
  }
  if (!node.spec?.unschedulable || owner !== run) {
    await patchNode(kube, cluster, node, { metadata: { annotations: { [CORDONED_BY]: run, [CORDONED_AT]: new Date().toISOString() } }, spec: { unschedulable: true } });
  }
  const after = await getNode(kube, cluster, name);
  if (!after.spec?.unschedulable || cordonOwner(after) !== run) {
    throw new StepFailure('ApiUnreachable', `The cordon of ${name} did not take: read back, spec.unschedulable is ${String(after.spec?.unschedulable ?? false)}.`);
  }
  return { ours: true };
}

function cordonedAgain(node: V1Node): boolean {
  const ours = Date.parse(node.metadata?.annotations?.[CORDONED_AT] ?? '');
  const tainted = new Date(node.spec?.taints?.find((taint) => taint.key === UNSCHEDULABLE)?.timeAdded ?? '').getTime();
  return tainted > ours + TAINT_MS;
}

/** Removes drydock's own cordon and reads it back; leaves an operator's. Safe to repeat. */
export async function uncordon(kube: KubeApi, cluster: ClusterSpec, name: string): Promise<{ uncordoned: boolean }> {
  const node = await getNode(kube, cluster, name);
  if (cordonOwner(node) === undefined) return { uncordoned: false };
  await patchNode(kube, cluster, node, { metadata: { annotations: { [CORDONED_BY]: null, [CORDONED_AT]: null } }, spec: { unschedulable: null } });
  const after = await getNode(kube, cluster, name);
  if (after.spec?.unschedulable) throw new StepFailure('ApiUnreachable', `${name} is still unschedulable after the uncordon was accepted.`);
  return { uncordoned: true };
}

/** With the resourceVersion that was read, so that a cordon made by a person in between is a conflict, not overwritten. */
async function patchNode(kube: KubeApi, cluster: ClusterSpec, node: V1Node, patch: { metadata: object; spec: object }): Promise<void> {
  await kube.request(cluster, {
    method: 'PATCH',
    path: kubePath('api', 'v1', 'nodes', node.metadata?.name ?? ''),
    contentType: 'application/merge-patch+json',
    body: { ...patch, metadata: { ...patch.metadata, resourceVersion: node.metadata?.resourceVersion } },
  });
}
