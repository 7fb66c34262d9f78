import type { V1Pod } from '@kubernetes/client-node';
import { type ClusterSpec, isControlPlane, type NodeSpec } from '../domain/cluster.js';
import type { Answer, EtcdFacts, EtcdMemberFacts, KubeadmFacts } from '../domain/facts.js';
import { etcdctl, etcdctlCommand, parseEtcdJson } from './etcd-tool.js';
import { StepFailure } from './failure.js';
import type { RemoteShell } from './ports/remote-shell.js';

interface MemberList {
  members: { ID: string; name?: string; isLearner?: boolean; clientURLs?: string[]; clientURLS?: string[] }[];
}
interface EndpointStatus {
  Endpoint: string;
  Status: { header: { member_id: string }; version: string; dbSize: number; leader: string; isLearner?: boolean };
}
interface EndpointHealth {
  endpoint: string;
  health: boolean;
}

/** Members, their health and alarms, asked with etcdctl on the first control-plane node that answers. Throws a StepFailure when none does. */
export async function etcdFacts(shell: RemoteShell, spec: ClusterSpec, pods: readonly V1Pod[], kubeadm: Answer<KubeadmFacts>): Promise<EtcdFacts> {
  if (kubeadm.known && kubeadm.value.externalEtcd) return { topology: 'external', members: [], flags: [] };
  const reasons: string[] = [];
  for (const node of spec.nodes.filter(isControlPlane)) {
    try {
      return { topology: 'stacked', members: await members(shell, spec, node), flags: flagsOf(pods) };
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      reasons.push(error.message);
    }
  }
  throw new StepFailure('SnapshotFailed', `etcd could not be asked. ${reasons.join(' ')}`);
}

async function members(shell: RemoteShell, spec: ClusterSpec, node: NodeSpec): Promise<EtcdMemberFacts[]> {
  const [list, status, health, alarms] = await Promise.all([
    etcdctl(shell, spec, node, ['member', 'list', '-w', 'json']).then((text) => parseEtcdJson<MemberList>(text).members),
    ofEach<EndpointStatus>(shell, spec, node, 'status'),
    ofEach<EndpointHealth>(shell, spec, node, 'health'),
    etcdctl(shell, spec, node, ['alarm', 'list']).then((text) => text.split('\n').filter((line) => line.includes('alarm:'))),
  ]);
  return list.map((member) => {
    const urls = member.clientURLs ?? member.clientURLS ?? [];
    const own = status.find((entry) => entry.Status.header.member_id === member.ID)?.Status;
    return {
      name: member.name ?? member.ID,
      healthy: health.some((entry) => urls.includes(entry.endpoint) && entry.health),
      learner: member.isLearner ?? false,
      leader: own !== undefined && own.leader === member.ID,
      ...(own ? { version: own.version, dbBytes: own.dbSize } : {}),
      alarms: alarms.filter((line) => line.includes(`memberID:${member.ID} `)).map((line) => line.replace(/.*alarm:/, '').trim()),
    };
  });
}

/** A member that is down makes the call fail after the answers of the others are printed. Who is not among them counts as not healthy. */
async function ofEach<T>(shell: RemoteShell, spec: ClusterSpec, node: NodeSpec, what: 'status' | 'health'): Promise<T[]> {
  const { stdout } = await shell.run(spec, node, etcdctlCommand(['endpoint', what, '--cluster', '-w', 'json']), { timeoutMs: 60_000 });
  const list = stdout.split('\n').find((line) => line.startsWith('['));
  return list === undefined ? [] : parseEtcdJson<T[]>(list);
}

function flagsOf(pods: readonly V1Pod[]): string[] {
  const etcd = pods.filter((pod) => pod.metadata?.namespace === 'kube-system' && pod.metadata.labels?.['component'] === 'etcd');
  return [...new Set(etcd.flatMap((pod) => [...(pod.spec?.containers[0]?.command ?? []), ...(pod.spec?.containers[0]?.args ?? [])]).filter((arg) => arg.startsWith('--')))];
}
