/** What runs now, read out of the facts. */
import type { ClusterFacts, ComponentFacts } from './facts.js';
import { compareVersions, parseVersion, type Version } from './version.js';

const CONTROL_PLANE_PODS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

/** Versions of every API server: each static pod's image, and what /version answered (a load balancer answers for any of them). */
export function apiServerVersions(facts: ClusterFacts): readonly Version[] {
  const fromPods = componentsOf(facts, 'kube-apiserver').flatMap((c) => versionOf(c.version));
  const answered = facts.apiServer.known ? versionOf(facts.apiServer.value) : [];
  return [...fromPods, ...answered];
}

export function componentsOf(facts: ClusterFacts, component: string): readonly ComponentFacts[] {
  return facts.components.known ? facts.components.value.filter((c) => c.component === component) : [];
}

export function kubeletVersions(facts: ClusterFacts): readonly { readonly node: string; readonly version: Version }[] {
  return facts.nodes.flatMap(({ name, api }) => (api ? versionOf(api.kubeletVersion).map((version) => ({ node: name, version })) : []));
}

const versionOf = (text: string | undefined): readonly Version[] => {
  const version = text === undefined ? undefined : parseVersion(text);
  return version ? [version] : [];
};

export function oldest(versions: readonly Version[]): Version | undefined {
  return versions.reduce<Version | undefined>((low, v) => (low === undefined || compareVersions(v, low) < 0 ? v : low), undefined);
}

export function newest(versions: readonly Version[]): Version | undefined {
  return versions.reduce<Version | undefined>((high, v) => (high === undefined || compareVersions(v, high) > 0 ? v : high), undefined);
}

/** The control plane's version for the purpose of going up: its oldest API server. */
export const controlPlaneVersion = (facts: ClusterFacts): Version | undefined => oldest(apiServerVersions(facts));

/** The static pods of one control-plane node all run this version. */
export function staticPodsAt(facts: ClusterFacts, node: string, version: Version): boolean {
  return CONTROL_PLANE_PODS.every((name) => {
    const here = componentsOf(facts, name).filter((c) => c.node === node);
    return here.length > 0 && here.every((c) => versionOf(c.version).some((v) => compareVersions(v, version) === 0));
  });
}
