/** Packages: from the target minor's own repository, with a key that still holds, on a dpkg that is whole. */
import { pickPackage } from '../packages.js';
import type { Finding } from '../plan.js';
import { apiServerVersions, kubeletVersions } from '../running.js';
import { minorText, targetText } from '../target.js';
import { formatVersion, minorOf } from '../version.js';
import { type Check, ifUnknown, reachedHosts, refusal, type TargetCheck, warning } from './check.js';
import { daysUntil } from './certificates.js';

/** kubeadm, kubelet and kubectl held is the recommended state and other packages' holds are not our business: neither is a finding. */
export const aptManaged: Check = ({ facts }) =>
  reachedHosts(facts).flatMap(({ name, host }): readonly Finding[] => {
    if (host.packageManager !== 'apt') return [refusal('package-manager', { node: name, message: `${name} (${host.os}) has no apt`, evidence: host.os })];
    const absent = (['kubeadm', 'kubelet'] as const).filter((p) => host.packages[p] === undefined);
    return absent.map((p) => refusal('not-packaged', { node: name, message: `${p} is not installed from a package on ${name}`, evidence: `dpkg knows no ${p}` }));
  });

export const dpkgWhole: Check = ({ facts }) =>
  reachedHosts(facts).flatMap(({ name, host }) => [
    ...(host.packages.audit.length > 0
      ? [warning('dpkg-audit', { node: name, message: `Packages on ${name} are half-configured; drydock repairs that with \`dpkg --configure -a\``, evidence: host.packages.audit.join('\n') })]
      : []),
    ...(host.packageLockHolder === undefined ? [] : [warning('package-lock', { node: name, message: `A package run is under way on ${name}: ${host.packageLockHolder}`, evidence: host.packageLockHolder })]),
  ]);

/** The file on the node names a minor that runs here or the target's; drydock points it at the target's, one hop at a time. */
export const repositories: TargetCheck = ({ facts, spec, target }) => {
  const running = [...apiServerVersions(facts), ...kubeletVersions(facts).map((k) => k.version)];
  const expected = new Set([minorText(target), ...running.map(minorOf)]);
  return reachedHosts(facts).flatMap(({ name, host }): readonly Finding[] => {
    if (host.packageManager !== 'apt') return [];
    if (host.repositories.length === 0) return [refusal('repository-missing', { node: name, message: `No file below /etc/apt on ${name} names the repository ${spec.packages.repository}`, evidence: 'packages.repository, with any minor' })];
    return host.repositories
      .filter((r) => r.minor !== undefined && !expected.has(r.minor))
      .map((r) => warning('repository-minor', { node: name, message: `${r.file} on ${name} names the repository of ${r.minor}; ${[...expected].sort().join(' or ')} was expected`, evidence: r.line }));
  });
};

const KEY_WARNING_DAYS = 30;

/** The key expired for everybody on 2 November 2024 and broke `apt-get update` (kubernetes/release#3818). */
export const signingKeys: Check = ({ facts }) =>
  reachedHosts(facts).flatMap(({ name, host }) =>
    host.repositories.flatMap((r): readonly Finding[] => {
      if (r.keyExpires === undefined) return [];
      const days = daysUntil(facts.takenAt, r.keyExpires);
      const detail = { node: name, evidence: `${r.file}: ${r.keyExpires}` };
      if (Number.isNaN(days) || days < 0) return [refusal('key-expired', { ...detail, message: `The signing key of the repository in ${r.file} on ${name} expired on ${r.keyExpires.slice(0, 10)}` })];
      return days < KEY_WARNING_DAYS ? [warning('key-expiring', { ...detail, message: `The signing key of the repository in ${r.file} on ${name} expires in ${Math.floor(days)} days` })] : [];
    }),
  );

/** Each package of each node in the exact version, and revision when one is insisted on. */
export const candidates: TargetCheck = ({ facts, spec, target }) => {
  const version = target.version ? formatVersion(target.version) : undefined;
  return reachedHosts(facts).flatMap(({ name, host }): readonly Finding[] => {
    if (host.packageManager !== 'apt') return [];
    const answer = host.candidates;
    if (!answer.known) return ifUnknown(answer, 'unknown-candidates', `What the repository of ${minorText(target)} offers on ${name}`, name);
    if (version === undefined) return [];
    const missing = (['kubeadm', 'kubelet', 'kubectl'] as const).filter((p) => pickPackage(answer.value[p], version, spec.packages.revision) === undefined);
    if (missing.length === 0) return [];
    const wanted = spec.packages.revision === undefined ? targetText(target) : `${version}-${spec.packages.revision}`;
    return [refusal('candidate-missing', { node: name, message: `The repository of ${minorText(target)} does not offer ${missing.join(', ')} ${wanted} on ${name}`, evidence: missing.map((p) => `${p}: ${answer.value[p].slice(0, 5).join(', ') || 'nothing'}`).join('; ') })];
  });
};
