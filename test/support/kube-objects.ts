/** Small Kubernetes objects as the API gives them: dates are text. */
import type { V1Node, V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';

interface PodShape {
  readonly namespace?: string;
  readonly uid?: string;
  readonly node?: string;
  readonly phase?: string;
  readonly ready?: boolean;
  /** `Kind/name`, or null for a bare pod. */
  readonly owner?: string | null;
  readonly ownerApi?: string;
  readonly mirror?: boolean;
  readonly emptyDir?: boolean;
  readonly deletedAt?: string;
  readonly finalizers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly grace?: number;
  readonly image?: string;
  readonly containerId?: string;
}

export function aPod(name: string, shape: PodShape = {}): V1Pod {
  const { namespace = 'shop', uid = `uid-${name}`, node = 'w1', phase = 'Running', ready = true, owner = 'ReplicaSet/web', ownerApi = 'apps/v1', grace = 30 } = shape;
  const [kind = '', ownerName = ''] = owner?.split('/') ?? [];
  return {
    metadata: {
      name, namespace, uid, labels: { ...shape.labels },
      ...(owner === null ? {} : { ownerReferences: [{ apiVersion: ownerApi, kind, name: ownerName, uid: `uid-${ownerName}`, controller: true }] }),
      ...(shape.mirror ? { annotations: { 'kubernetes.io/config.mirror': 'x' } } : {}),
      ...(shape.deletedAt ? { deletionTimestamp: shape.deletedAt as unknown as Date } : {}),
      ...(shape.finalizers ? { finalizers: [...shape.finalizers] } : {}),
    },
    spec: {
      nodeName: node, terminationGracePeriodSeconds: grace, containers: [{ name: 'main', image: shape.image ?? 'web:1' }],
      ...(shape.emptyDir ? { volumes: [{ name: 'scratch', emptyDir: {} }] } : {}),
    },
    status: {
      phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [{ name: 'main', ready, containerID: shape.containerId ?? `containerd://${uid}`, image: '', imageID: '', restartCount: 0 }],
    },
  };
}

interface NodeShape {
  readonly version?: string;
  readonly ready?: boolean;
  readonly heartbeat?: string;
  readonly unschedulable?: boolean;
  readonly cordonedBy?: string;
  readonly cordonedAt?: string;
  /** When the taint of the cordon was added. */
  readonly taintedAt?: string;
  readonly resourceVersion?: string;
}

export function aKubeNode(name: string, shape: NodeShape = {}): V1Node {
  const { version = '1.36.3', ready = true, heartbeat = '2026-11-23T12:00:00Z', resourceVersion = '7' } = shape;
  return {
    metadata: { name, uid: `uid-${name}`, resourceVersion, ...(shape.cordonedBy === undefined ? {} : { annotations: { 'drydock/cordoned-by': shape.cordonedBy, ...(shape.cordonedAt ? { 'drydock/cordoned-at': shape.cordonedAt } : {}) } }) },
    spec: {
      ...(shape.unschedulable ? { unschedulable: true } : {}),
      ...(shape.taintedAt ? { taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: shape.taintedAt as unknown as Date }] } : {}),
    },
    status: {
      nodeInfo: { kubeletVersion: `v${version}` } as NonNullable<V1Node['status']>['nodeInfo'],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', reason: ready ? 'KubeletReady' : 'KubeletNotReady', lastHeartbeatTime: heartbeat as unknown as Date }],
    },
  };
}

export const aBudget = (name: string, disruptionsAllowed: number, namespace = 'shop'): V1PodDisruptionBudget => ({
  metadata: { name, namespace, uid: `uid-budget-${name}` },
  status: { disruptionsAllowed, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 },
});
