/** The skew policy, now and during the hop. After the hop everything has one version. */
import type { Finding } from '../plan.js';
import { apiServerVersions, componentsOf, kubeletVersions, newest, oldest } from '../running.js';
import { apiServersAllowed, controllerAllowed, kubeletAllowed, kubeProxyAllowed, kubeProxyBesideKubelet, type Verdict } from '../skew.js';
import { formatVersion, parseVersion, type Version } from '../version.js';
import type { ClusterFacts } from '../facts.js';
import { type Check, refusal, type TargetCheck } from './check.js';
import type { CheckName } from './names.js';

interface Placed {
  readonly node?: string;
  readonly version: Version;
}

const placed = (facts: ClusterFacts, component: string): readonly Placed[] =>
  componentsOf(facts, component).flatMap((c) => {
    const version = c.version === undefined ? undefined : parseVersion(c.version);
    return version ? [{ ...(c.node === undefined ? {} : { node: c.node }), version }] : [];
  });

const unlessAllowed = (check: CheckName, verdict: Verdict, node?: string, when = ''): readonly Finding[] =>
  verdict.allowed ? [] : [refusal(check, { ...(node === undefined ? {} : { node }), message: `Version skew${when}${node === undefined ? '' : ` on ${node}`}: ${verdict.reason}`, evidence: verdict.reason })];

/** Against the oldest API server (the ceiling) and the newest (the floor). */
function againstApiServers(facts: ClusterFacts, judge: (apiServer: Version) => Verdict): Verdict {
  const versions = apiServerVersions(facts);
  const bounds = [oldest(versions), newest(versions)].flatMap((v) => v ?? []);
  return bounds.map(judge).find((v) => !v.allowed) ?? { allowed: true, reason: 'within the skew policy' };
}

export const apiServerSkew: Check = ({ facts }) => {
  const versions = apiServerVersions(facts);
  const [low, high] = [oldest(versions), newest(versions)];
  return low && high ? unlessAllowed('api-server-skew', apiServersAllowed(low, high)) : [];
};

/**
 * A control-plane node's kubelet goes with the API server beside it: while a hop goes from one control plane to the next, the first kubelet
 * is newer than the last API server, in kubeadm's own order of work too (kubernetes.io "Upgrading kubeadm clusters").
 */
function kubeletVerdict(facts: ClusterFacts, node: string, kubelet: Version): Verdict {
  const beside = placed(facts, 'kube-apiserver').find((api) => api.node === node);
  return beside ? kubeletAllowed(kubelet, beside.version) : againstApiServers(facts, (api) => kubeletAllowed(kubelet, api));
}

export const skewNow: Check = ({ facts }) => [
  ...kubeletVersions(facts).flatMap(({ node, version }) => unlessAllowed('kubelet-skew', kubeletVerdict(facts, node, version), node)),
  ...placed(facts, 'kube-proxy').flatMap(({ node, version }) => unlessAllowed('kube-proxy-skew', againstApiServers(facts, (api) => kubeProxyAllowed(version, api)), node)),
  ...['kube-controller-manager', 'kube-scheduler'].flatMap((name) =>
    placed(facts, name).flatMap(({ node, version }) => {
      const beside = placed(facts, 'kube-apiserver').find((api) => api.node === node);
      return beside ? unlessAllowed('controller-skew', controllerAllowed(name, version, beside.version), node) : [];
    }),
  ),
];

/** While the hop is under way the control plane is at the target and these are still where they were. */
export const skewDuringHop: TargetCheck = ({ facts, target }) => {
  const apiServer: Version = target.version ?? { major: target.major, minor: target.minor, patch: 0 };
  const during = ` once the control plane is at ${formatVersion(apiServer)}`;
  const kubelets = kubeletVersions(facts);
  return [
    ...kubelets.filter(({ version }) => version.minor <= apiServer.minor).flatMap(({ node, version }) => unlessAllowed('kubelet-skew', kubeletAllowed(version, apiServer), node, during)),
    ...placed(facts, 'kube-proxy').filter(({ version }) => version.minor <= apiServer.minor).flatMap(({ node, version }) => [
      ...unlessAllowed('kube-proxy-skew', kubeProxyAllowed(version, apiServer), node, during),
      // kube-proxy is upgraded with the last control-plane node; until then it sits beside the new kubelet.
      ...unlessAllowed('kube-proxy-skew', kubeProxyBesideKubelet(version, apiServer), node, during),
    ]),
  ];
};
