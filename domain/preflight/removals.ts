/** What the target no longer has: APIs, kubelet flags, flags of the control plane. */
import type { Finding } from '../plan.js';
import { controllerManagerRemovals, kubeletRemovals } from '../removed-flags.js';
import { explainPodEvictionTimeout } from '../eviction-window.js';
import { controlPlaneVersion } from '../running.js';
import { minorText } from '../target.js';
import { parseMinor } from '../version.js';
import { listed, reachedHosts, refusal, type TargetCheck, valueOr, warning } from './check.js';

/** Asked for at the API server: clients break. Only in a stored manifest: the next apply of it breaks. */
export const removedApis: TargetCheck = ({ facts, target }) =>
  valueOr(facts.deprecatedApis, []).flatMap((use): readonly Finding[] => {
    const removed = parseMinor(use.removedIn);
    if (!removed || removed.major !== target.major || removed.minor > target.minor) return [];
    const api = `${use.resource} of ${use.group === '' ? use.version : `${use.group}/${use.version}`}`;
    const detail = { message: `${api} is not served from ${use.removedIn} on and is still used`, evidence: use.source };
    return [use.source.startsWith('manifest') ? warning('removed-api-stored', detail) : refusal('removed-api', detail)];
  });

export const removedKubeletFlags: TargetCheck = ({ facts, target }) =>
  reachedHosts(facts).flatMap(({ name, host }) =>
    kubeletRemovals(host.kubeletFlags, target.minor).map((removal): Finding => {
      const message = `The kubelet of ${minorText(target)} does not start with ${removal.flag} (removed in 1.${removal.since})`;
      const detail = { node: name, message: removal.cleanedNow ? `${message}; kubeadm takes it out of kubeadm-flags.env, but not out of /etc/default/kubelet` : message, evidence: removal.found };
      return (removal.cleanedNow ? warning : refusal)('removed-kubelet-flag', detail);
    }),
  );

export const removedControllerManagerFlags: TargetCheck = ({ facts, target }) => {
  const args = facts.kubeadm.known ? (facts.kubeadm.value.extraArgs['controllerManager'] ?? []) : [];
  return controllerManagerRemovals(args, target.minor).map((removal) =>
    refusal('removed-flag', { message: `The controller manager of ${minorText(target)} does not start with ${removal.found} (${removal.why})`, evidence: removal.found }),
  );
};

/** Older guides recommend this very flag, so it is explained even where it does no harm. */
export const podEvictionTimeout: TargetCheck = ({ facts, target }) => {
  const args = facts.kubeadm.known ? (facts.kubeadm.value.extraArgs['controllerManager'] ?? []) : [];
  const flag = args.find((arg) => /^(--)?pod-eviction-timeout\b/.test(arg));
  const running = controlPlaneVersion(facts);
  if (flag === undefined || !running || target.minor >= 27) return [];
  return [warning('pod-eviction-timeout', { message: explainPodEvictionTimeout(running, flag), evidence: flag })];
};

/** From 1.34 static pods that name API objects are denied (release note 1.34 #131837). */
const STATIC_PODS_STRICT_SINCE = 34;
const KUBEADM_MANIFESTS = new Set(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']);

export const foreignStaticPods: TargetCheck = ({ facts, target }) => {
  const running = controlPlaneVersion(facts);
  if (target.minor < STATIC_PODS_STRICT_SINCE || !running || running.minor >= STATIC_PODS_STRICT_SINCE) return [];
  return reachedHosts(facts).flatMap(({ name, host }) => {
    const foreign = host.manifests.filter((m) => !KUBEADM_MANIFESTS.has(m.replace(/\.ya?ml$/, '')));
    return foreign.length === 0 ? [] : [warning('foreign-static-pod', { node: name, message: `${name} has static pods that kubeadm does not own: ${listed(foreign)}`, evidence: foreign.join(', ') })];
  });
};
