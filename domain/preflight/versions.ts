/** The step itself: up, by one minor at most, to a version that is fit for it. */
import { configApiAllowed, kubeadmAllows, NEWEST_TARGET_MINOR, OLDEST_TARGET_MINOR } from '../kubeadm-policy.js';
import { pathText, pathTo } from '../hops.js';
import type { Finding } from '../plan.js';
import { apiServerVersions, controlPlaneVersion, kubeletVersions, newest } from '../running.js';
import { minorText, targetText, versionsOffered } from '../target.js';
import { compareVersions, formatVersion, minorOf, minorsAhead, parseVersion, type Version } from '../version.js';
import { reachedHosts, refusal, type TargetCheck, warning } from './check.js';

export const targetKnown: TargetCheck = ({ target }) => {
  const inTables = target.major === 1 && target.minor >= OLDEST_TARGET_MINOR && target.minor <= NEWEST_TARGET_MINOR;
  return inTables ? [] : [refusal('unsupported-target', { message: `This drydock knows the rules of Kubernetes 1.${OLDEST_TARGET_MINOR} to 1.${NEWEST_TARGET_MINOR}, not of ${minorText(target)}`, evidence: target.text })];
};

export const targetReleased: TargetCheck = ({ target }) =>
  target.version?.pre === undefined ? [] : [refusal('pre-release-target', { message: `${formatVersion(target.version)} is a pre-release`, evidence: target.text })];

/** The patch is found when the repositories of all nodes offer one in common. */
export const targetResolved: TargetCheck = ({ target, facts }) => {
  if (target.version) return [];
  const hosts = reachedHosts(facts);
  const offers = hosts.map(({ name, host }) => `${name}: ${host.candidates.known ? versionsOffered(host.candidates.value).slice(0, 3).join(', ') || 'nothing' : host.candidates.why}`);
  return [refusal('target-unresolved', { message: `No patch of ${minorText(target)} is offered on every node`, evidence: offers.join('; ') || 'no host was reached' })];
};

/** Versions that are known to break clusters on the way to them; sources in each line. */
const KNOWN_BAD: readonly { readonly to: string; readonly from?: RegExp; readonly severity: 'refusal' | 'warning'; readonly why: string }[] = [
  { to: '1.30.0', severity: 'refusal', why: 'it overwrites the kubelet\'s configuration with defaults (kubernetes/kubernetes#124046) and its health check fails on one node (kubernetes/kubeadm#3049); take 1.30.1 or later' },
  { to: '1.28.1', from: /^1\.28\.0$/, severity: 'warning', why: 'kubeadm may wait in vain for etcd\'s pod to change and roll back (kubernetes/kubeadm#2957)' },
  { to: '1.28.2', from: /^1\.28\.[01]$/, severity: 'warning', why: 'kubeadm may wait in vain for etcd\'s pod to change and roll back (kubernetes/kubeadm#2957)' },
  { to: '1.28.3', from: /^1\.28\.[012]$/, severity: 'warning', why: 'kubeadm may wait in vain for etcd\'s pod to change and roll back (kubernetes/kubeadm#2957)' },
];

export const targetSound: TargetCheck = ({ target, facts }) => {
  const from = controlPlaneVersion(facts);
  return KNOWN_BAD.filter((bad) => bad.to === targetText(target) && (!bad.from || (from && bad.from.test(formatVersion(from))))).map((bad) =>
    (bad.severity === 'refusal' ? refusal : warning)('known-bad-target', { message: `${bad.to} is known to fail: ${bad.why}`, evidence: bad.to }),
  );
};

/** Asked for by its patch although the repositories have a newer one. */
export const newestPatch: TargetCheck = ({ target, facts }) => {
  const wanted = target.version;
  if (!wanted) return [];
  const offered = reachedHosts(facts).flatMap(({ host }) => (host.candidates.known ? versionsOffered(host.candidates.value) : []));
  const best = newest(offered.flatMap((text) => parseVersion(text) ?? []).filter((v) => v.pre === undefined && minorOf(v) === minorText(target)));
  return best && compareVersions(best, wanted) > 0
    ? [warning('older-patch', { message: `${formatVersion(wanted)} is not the newest patch offered: ${formatVersion(best)} is`, evidence: formatVersion(best) })]
    : [];
};

export const oneStepUp: TargetCheck = ({ target, facts }) => {
  const from = controlPlaneVersion(facts);
  if (!from) return [];
  const path = pathTo(from, target);
  const wanted = targetText(target);
  const evidence = `API servers at ${apiServerVersions(facts).map(formatVersion).join(', ')}`;
  switch (path.kind) {
    case 'nothing':
    case 'hops':
      return downgradeOfAny(apiServerVersions(facts), target.version, evidence);
    case 'downgrade':
      return [refusal('downgrade', { message: `${wanted} is older than the control plane's ${formatVersion(from)}`, evidence })];
    case 'other-major':
      return [refusal('skipped-minor', { message: `${wanted} has another major version than ${formatVersion(from)}`, evidence })];
    case 'too-far':
      return [
        refusal('skipped-minor', {
          message: `${wanted} is ${path.minors.length} minors above ${formatVersion(from)}, and a control plane goes up one minor at a time: ${pathText(from, path.minors)}`,
          evidence,
          next: `Go to ${path.first} first: \`drydock upgrade --to ${path.first}\`, then plan ${wanted} again.`,
        }),
      ];
  }
};

/** A cluster half-way up has API servers above its oldest one; none of them may be taken back either. */
function downgradeOfAny(versions: readonly Version[], target: Version | undefined, evidence: string): readonly Finding[] {
  const top = newest(versions);
  if (!top || !target || compareVersions(target, top) >= 0) return [];
  return [refusal('downgrade', { message: `${formatVersion(target)} is older than the API server at ${formatVersion(top)}`, evidence })];
}

/** Every node takes each minor's `kubeadm upgrade node`: it carries clean-ups of one release only (release notes 1.35 #133779, 1.36 #135807). */
export const kubeletsOneStepUp: TargetCheck = ({ target, facts }) =>
  kubeletVersions(facts).flatMap(({ node, version }) => {
    const ahead = minorsAhead({ major: target.major, minor: target.minor, patch: 0 }, version);
    const evidence = `kubelet ${formatVersion(version)}`;
    if (ahead < 0 || (target.version && compareVersions(target.version, version) < 0)) {
      return [refusal('downgrade', { node, message: `${targetText(target)} is older than the kubelet of ${node} at ${formatVersion(version)}`, evidence })];
    }
    if (ahead <= 1) return [];
    const first = `${version.major}.${version.minor + 1}`;
    return [refusal('skipped-minor', { node, message: `The kubelet of ${node} at ${formatVersion(version)} is ${ahead} minors below ${targetText(target)}`, evidence, next: `Bring ${node} to ${first} first, then plan ${targetText(target)} again.` })];
  });

/** kubeadm-config names what runs, or the two ends of a hop that was cut off half-way. */
export const kubeadmConfigVersion: TargetCheck = ({ target, facts }) => {
  if (!facts.kubeadm.known) return [];
  const configured = parseVersion(facts.kubeadm.value.version);
  const running = apiServerVersions(facts);
  if (!configured || running.length === 0) return [];
  if (running.some((v) => compareVersions(v, configured) === 0)) return [];
  const interrupted = target.version && running.some((v) => target.version && compareVersions(v, target.version) === 0) && kubeadmAllows(configured, target.version).allowed;
  if (interrupted) return [];
  return [refusal('kubeadm-config-version', { message: `kubeadm-config says ${formatVersion(configured)}, the API servers run ${running.map(formatVersion).join(', ')}`, evidence: facts.kubeadm.value.version })];
};

export const kubeadmConfigApi: TargetCheck = ({ target, facts }) => {
  if (!facts.kubeadm.known) return [];
  const verdict = configApiAllowed(facts.kubeadm.value.apiVersion, target.minor);
  return verdict.allowed ? [] : [refusal('kubeadm-config-api', { message: `kubeadm ${minorText(target)} cannot read kubeadm-config: ${verdict.reason}`, evidence: facts.kubeadm.value.apiVersion })];
};
