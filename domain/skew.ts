/**
 * Version skew: which component may be how far from which, by version, for Kubernetes 1.10 to 1.37.
 *
 * Source: kubernetes.io "Version Skew Policy"; KEP-3935 (kubelet and kube-proxy n-3 from 1.25 with control plane 1.28).
 * While API servers are mixed, the oldest sets the ceiling and the newest the floor: callers ask for each of them.
 */
import { formatVersion, minorsAhead, type Version } from './version.js';

export interface Verdict {
  readonly allowed: boolean;
  /** One sentence, with the rule, either way. */
  readonly reason: string;
}

/** First kubelet and kube-proxy that may be three minors older than the API server. */
const N3_SINCE = { major: 1, minor: 25 } as const;
/** API servers of a cluster: newest and oldest within this many minors. */
const API_SERVER_SPREAD = 1;
/** Controller manager, scheduler and cloud controller manager may be this much older than the API server. */
const CONTROLLER_LAG = 1;
/** kubectl: this much older or newer. */
const KUBECTL_DISTANCE = 1;

const allow = (reason: string): Verdict => ({ allowed: true, reason });
const refuse = (reason: string): Verdict => ({ allowed: false, reason });

/** How many minors a kubelet or kube-proxy of this version may be older than the API server: 3 since 1.25, 2 before. */
export const lagAllowed = (version: Version): number => (version.minor >= N3_SINCE.minor ? 3 : 2);

export function apiServersAllowed(a: Version, b: Version): Verdict {
  return within('kube-apiserver', a, 'kube-apiserver', b, API_SERVER_SPREAD, API_SERVER_SPREAD);
}

export function kubeletAllowed(kubelet: Version, apiServer: Version): Verdict {
  return within('kubelet', kubelet, 'kube-apiserver', apiServer, lagAllowed(kubelet), 0);
}

export function kubeProxyAllowed(kubeProxy: Version, apiServer: Version): Verdict {
  return within('kube-proxy', kubeProxy, 'kube-apiserver', apiServer, lagAllowed(kubeProxy), 0);
}

/** kube-proxy and the kubelet beside it: as far apart as kube-proxy's own allowance, in either direction. */
export function kubeProxyBesideKubelet(kubeProxy: Version, kubelet: Version): Verdict {
  return within('kube-proxy', kubeProxy, 'kubelet', kubelet, lagAllowed(kubeProxy), lagAllowed(kubeProxy));
}

/** Controller manager and scheduler: never newer, at most one older. */
export function controllerAllowed(name: string, controller: Version, apiServer: Version): Verdict {
  return within(name, controller, 'kube-apiserver', apiServer, CONTROLLER_LAG, 0);
}

export function kubectlAllowed(kubectl: Version, apiServer: Version): Verdict {
  return within('kubectl', kubectl, 'kube-apiserver', apiServer, KUBECTL_DISTANCE, KUBECTL_DISTANCE);
}

function within(name: string, version: Version, other: string, reference: Version, older: number, newer: number): Verdict {
  const ahead = minorsAhead(version, reference);
  const pair = `${name} ${formatVersion(version)} with ${other} ${formatVersion(reference)}`;
  if (Number.isNaN(ahead)) return refuse(`${pair}: the major versions differ`);
  if (ahead > newer) return refuse(`${pair}: ${newer === 0 ? 'it may never be newer' : `at most ${minors(newer)} newer is allowed`}`);
  if (-ahead > older) return refuse(`${pair}: at most ${minors(older)} older is allowed`);
  return allow(`${pair}: within ${minors(older)} older${newer > 0 ? ` and ${minors(newer)} newer` : ''}`);
}

const minors = (count: number): string => `${count} minor${count === 1 ? '' : 's'}`;
