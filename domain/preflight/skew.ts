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
const againstBoth = (bounds: readonly Version[], judge: (apiServer: Version) => Verdict): Verdict =>
  bounds.map(judge).find((v) => !v.allowed) ?? { allowed: true, reason: 'within the skew policy' };

export const apiServerSkew: Check = ({ facts }) => {
  const versions = apiServerVersions(facts);
  const [low, high] = [oldest(versions), newest(versions)];
  return low && high ? unlessAllowed('api-server-skew', apiServersAllowed(low, high)) : [];
};

/**
 * A control-plane node's kubelet goes with the API server beside it: while a hop goes from one control plane to the next, the first kubelet
 * is newer than the last API server, in kubeadm's own order of work too (kubernetes.io "Upgrading kubeadm clusters").
 */
export const skewNow: Check = ({ facts }) => {
  const versions = apiServerVersions(facts);
  const bounds = [oldest(versions), newest(versions)].flatMap((v) => v ?? []);
  const apiServers = new Map(placed(facts, 'kube-apiserver').map(({ node, version }) => [node, version]));
  const kubelets = kubeletVersions(facts).flatMap(({ node, version }) => {
    const beside = apiServers.get(node);
    return unlessAllowed('kubelet-skew', beside ? kubeletAllowed(version, beside) : againstBoth(bounds, (api) => kubeletAllowed(version, api)), node);
  });
  const proxies = placed(facts, 'kube-proxy').flatMap(({ node, version }) =>
    unlessAllowed('kube-proxy-skew', againstBoth(bounds, (api) => kubeProxyAllowed(version, api)), node));
  const controllers = ['kube-controller-manager', 'kube-scheduler'].flatMap((name) =>
    placed(facts, name).flatMap(({ node, version }) => {
      const beside = apiServers.get(node);
      return beside ? unlessAllowed('controller-skew', controllerAllowed(name, version, beside), node) : [];
    }),
  );
  return [...kubelets, ...proxies, ...controllers];
};

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
