/**
 * What kubeadm itself accepts, so that the plan is never one that kubeadm refuses half-way.
 *
 * Source: kubernetes/kubernetes cmd/kubeadm/app/phases/upgrade/policy.go and cmd/kubeadm/app/constants; the life of the
 * configuration API versions from the release notes of 1.15, 1.22, 1.27, 1.31 and 1.37.
 */
import { formatVersion, minorsAhead, type Version } from './version.js';
import type { Verdict } from './skew.js';

/** Oldest and newest target whose rules are in this folder's tables. `kubeadm upgrade node` for every role exists since 1.15. */
export const OLDEST_TARGET_MINOR = 15;
export const NEWEST_TARGET_MINOR = 37;

/** kubeadm's own limit for kubelets: 1 minor before kubeadm 1.29, 3 since (release note 1.29 #120825). Ignorable there, not here. */
export const kubeadmKubeletLag = (kubeadm: { readonly minor: number }): number => (kubeadm.minor >= 29 ? 3 : 1);

/** First and last kubeadm minor that reads a configuration API version. */
const CONFIG_API_LIFE: Readonly<Record<string, readonly [first: number, last: number]>> = {
  'kubeadm.k8s.io/v1alpha3': [12, 14],
  'kubeadm.k8s.io/v1beta1': [13, 21],
  'kubeadm.k8s.io/v1beta2': [15, 26],
  'kubeadm.k8s.io/v1beta3': [22, 36],
  'kubeadm.k8s.io/v1beta4': [31, Number.POSITIVE_INFINITY],
};

/** Can kubeadm of that minor read a ClusterConfiguration of that API version? */
export function configApiAllowed(apiVersion: string, kubeadmMinor: number): Verdict {
  const life = CONFIG_API_LIFE[apiVersion];
  if (!life) return { allowed: false, reason: `${apiVersion} is no kubeadm configuration API that drydock knows` };
  const [first, last] = life;
  if (kubeadmMinor < first) return { allowed: false, reason: `${apiVersion} is read by kubeadm 1.${first} and later` };
  if (kubeadmMinor > last) return { allowed: false, reason: `${apiVersion} is read by kubeadm up to 1.${last}` };
  return { allowed: true, reason: `kubeadm 1.${kubeadmMinor} reads ${apiVersion}` };
}

/** kubeadm of exactly the target version carries out the step from `cluster` to `target`. */
export function kubeadmAllows(cluster: Version, target: Version): Verdict {
  const ahead = minorsAhead(target, cluster);
  const step = `${formatVersion(cluster)} to ${formatVersion(target)}`;
  if (Number.isNaN(ahead)) return { allowed: false, reason: `${step}: the major versions differ` };
  if (ahead > 1) return { allowed: false, reason: `${step}: kubeadm goes up one minor at a time` };
  // kubeadm would let a downgrade by one minor pass; etcd and the stored objects do not tolerate it.
  if (ahead < 0) return { allowed: false, reason: `${step}: a downgrade of the control plane is never safe` };
  return { allowed: true, reason: `${step}: ${ahead === 1 ? 'one minor up' : 'the same minor'}` };
}
