/**
 * Which etcd may run when kubeadm brings the next one.
 *
 * Sources: etcd.io "Upgrade etcd from 3.5 to 3.6" and its blog (zombie members; too many learners), "Upgrade etcd from 3.6 to 3.7";
 * bundled versions: cmd/kubeadm/app/constants of each minor.
 */
import type { Finding } from '../plan.js';
import { compareVersions, formatVersion, parseVersion, type Version } from '../version.js';
import { refusal, type TargetCheck, warning } from './check.js';

interface Gate {
  /** Minor of Kubernetes whose kubeadm brings the newer etcd. */
  readonly kubernetes: number;
  readonly from: number;
  readonly to: number;
  /** Below this it is refused. */
  readonly refuseBelow?: number;
  /** Below this it is warned about. */
  readonly warnBelow: number;
  readonly why: string;
}

const GATES: readonly Gate[] = [
  {
    kubernetes: 34, from: 5, to: 6, refuseBelow: 26, warnBelow: 32,
    why: 'before 3.5.26 removed members come back in 3.6 and make the cluster unusable; etcd\'s guide asks for 3.5.32',
  },
  {
    // kubeadm 1.36 itself ships 3.6.8, and upstream's tests upgrade from it: a warning, or no stock cluster could go on.
    kubernetes: 37, from: 6, to: 7, warnBelow: 11,
    why: 'etcd\'s guide asks for 3.6.11 on every member before 3.7; kubeadm 1.36 ships 3.6.8',
  },
];

/** Minor of the etcd 3.x that kubeadm of a Kubernetes minor brings. */
const BUNDLED: readonly (readonly [kubernetes: number, etcd: number])[] = [[37, 7], [34, 6], [22, 5], [17, 4], [14, 3], [0, 2]];
export const bundledEtcdMinor = (kubernetes: number): number => BUNDLED.find(([since]) => kubernetes >= since)?.[1] ?? 2;

export const etcdVersionGate: TargetCheck = ({ facts, target }) => {
  if (!facts.etcd.known || facts.etcd.value.topology !== 'stacked') return [];
  return facts.etcd.value.members.flatMap((member) => {
    const version = member.version === undefined ? undefined : parseVersion(member.version);
    if (!version) return [refusal('unknown-etcd', { node: member.name, message: `The version of etcd member ${member.name} could not be read`, evidence: member.version ?? '' })];
    return judge(member.name, version, target.minor);
  });
};

function judge(node: string, version: Version, targetMinor: number): readonly Finding[] {
  const bundled = bundledEtcdMinor(targetMinor);
  if (bundled - version.minor > 1) {
    return [refusal('etcd-version-gate', { node, message: `etcd ${formatVersion(version)} on ${node} would skip a minor: Kubernetes 1.${targetMinor} brings etcd 3.${bundled}`, evidence: formatVersion(version) })];
  }
  const gate = GATES.find((g) => g.from === version.minor && g.to === bundled);
  if (!gate) return [];
  const below = (patch: number): boolean => compareVersions(version, { major: 3, minor: gate.from, patch }) < 0;
  const message = `etcd ${formatVersion(version)} on ${node} is upgraded to 3.${gate.to} by this hop: ${gate.why}`;
  if (gate.refuseBelow !== undefined && below(gate.refuseBelow)) return [refusal('etcd-version-gate', { node, message, evidence: formatVersion(version) })];
  return below(gate.warnBelow) ? [warning('etcd-version-gate', { node, message, evidence: formatVersion(version) })] : [];
}

/** First Kubernetes minor whose etcd (3.7) does not start with an `--experimental-*` flag. */
const NO_EXPERIMENTAL_SINCE = 37;

export const experimentalFlags: TargetCheck = ({ facts, target }) => {
  if (target.minor < NO_EXPERIMENTAL_SINCE) return [];
  const live = facts.etcd.known ? facts.etcd.value.flags : [];
  const configured = facts.kubeadm.known ? (facts.kubeadm.value.extraArgs['etcd'] ?? []) : [];
  const flags = [...new Set([...live, ...configured].filter((flag) => /^(--)?experimental-/.test(flag)))];
  return flags.length === 0 ? [] : [refusal('etcd-experimental-flag', { message: `etcd 3.7 does not start with ${flags.join(', ')}`, evidence: flags.join(' ') })];
};
