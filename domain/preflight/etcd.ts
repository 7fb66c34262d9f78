/** etcd: whole now, still with a majority when one member is away, and of a version that the next one accepts. */
import type { EtcdFacts, EtcdMemberFacts } from '../facts.js';
import type { Finding } from '../plan.js';
import { quorumOf, survivesLosingOne } from '../health.js';
import { type Check, count, refusal, type Scene, warning } from './check.js';

const withStacked = (check: (etcd: EtcdFacts, scene: Scene) => readonly Finding[]): Check => (scene) =>
  scene.facts.etcd.known && scene.facts.etcd.value.topology === 'stacked' ? check(scene.facts.etcd.value, scene) : [];

const names = (members: readonly EtcdMemberFacts[]): string => members.map((m) => m.name).join(', ');

export const stackedOnly: Check = ({ facts }) => {
  const external = (facts.etcd.known && facts.etcd.value.topology === 'external') || (facts.kubeadm.known && facts.kubeadm.value.externalEtcd);
  return external ? [refusal('external-etcd', { message: 'The cluster uses external etcd, which this drydock does not upgrade', evidence: 'etcd.external in kubeadm-config' })] : [];
};

export const membersHealthy = withStacked(({ members }) =>
  members
    .filter((m) => !m.healthy)
    .map((m) => refusal('etcd-unhealthy', { node: m.name, message: `etcd member ${m.name} is not healthy`, evidence: `${members.filter((x) => x.healthy).length} of ${members.length} members healthy` })),
);

export const oneLeader = withStacked(({ members }) => {
  if (members.length === 0) return [refusal('unknown-etcd', { message: 'etcd has no member that drydock can see' })];
  return members.some((m) => m.leader) ? [] : [refusal('etcd-no-leader', { message: 'No etcd member is the leader', evidence: names(members) })];
});

export const noAlarms = withStacked(({ members }) =>
  members
    .filter((m) => m.alarms.length > 0)
    .map((m) => refusal('etcd-alarm', { node: m.name, message: `etcd member ${m.name} has raised ${m.alarms.join(', ')}`, evidence: m.alarms.join(', ') })),
);

export const noLearners = withStacked(({ members }) =>
  members.filter((m) => m.learner).map((m) => refusal('etcd-learner', { node: m.name, message: `etcd member ${m.name} is still a learner`, evidence: 'isLearner' })),
);

/** A cluster of one has no majority to keep: its control plane is away while it is upgraded, by its nature. */
export const majorityWithoutOne = withStacked(({ members }) => {
  const voters = members.filter((m) => !m.learner);
  const healthy = voters.filter((m) => m.healthy).length;
  if (survivesLosingOne(voters.length, healthy)) return [];
  return [refusal('etcd-quorum', { message: `etcd would lose its majority with one more member away: ${healthy} of ${count(voters.length, 'member')} healthy, ${quorumOf(voters.length)} needed`, evidence: names(voters) })];
});

/** Members of one hop half done differ; members further apart do not happen by an upgrade of ours. */
export const oneVersion = withStacked(({ members }) => {
  const versions = [...new Set(members.map((m) => m.version ?? 'unknown'))];
  return versions.length > 1 ? [warning('etcd-mixed-versions', { message: `etcd members run different versions: ${versions.join(', ')}`, evidence: members.map((m) => `${m.name} ${m.version ?? 'unknown'}`).join(', ') })] : [];
});

/** etcd's default when --quota-backend-bytes is not set (etcd.io: Maintenance). */
const DEFAULT_QUOTA = 2 * 1024 ** 3;
const QUOTA_SHARE = 0.8;

/** At the quota etcd refuses every write, in the middle of an upgrade too. */
export const withinQuota = withStacked(({ members, flags }) => {
  const flag = flags.map((f) => /^--quota-backend-bytes=(\d+)$/.exec(f)?.[1]).find((f) => f !== undefined);
  const quota = flag === undefined || Number(flag) === 0 ? DEFAULT_QUOTA : Number(flag);
  return members
    .filter((m) => (m.dbBytes ?? 0) > quota * QUOTA_SHARE)
    .map((m) => refusal('etcd-quota', { node: m.name, message: `etcd member ${m.name} uses ${Math.round(((m.dbBytes ?? 0) / quota) * 100)}% of its quota; at most 80% is wanted`, evidence: `${m.dbBytes} of ${quota} bytes` }));
});
