/** From `--to` to a version. */
import type { ClusterFacts, CandidateFacts } from './facts.js';
import { NEWEST_TARGET_MINOR } from './kubeadm-policy.js';
import { upstreamOf } from './packages.js';
import { controlPlaneVersion } from './running.js';
import { compareVersions, formatVersion, parseMinor, parseVersion, type Version } from './version.js';

/** What is wanted. Without `version` only the minor is known: the repositories offer no patch of it on every node. */
export interface Target {
  /** As it was given. */
  readonly text: string;
  readonly major: number;
  readonly minor: number;
  readonly version?: Version;
}

/** Reads `1.37`, `1.37.2`, `v1.37.2`. Undefined for anything else. Nothing is looked up. */
export function parseTarget(text: string): Target | undefined {
  const version = parseVersion(text);
  if (version) return { text, major: version.major, minor: version.minor, version };
  const minor = parseMinor(text);
  return minor ? { text, ...minor } : undefined;
}

/** `next` stands for the minor above the control plane's: what `check` asks about when nothing was said. Undefined: there is none yet. */
export function nextTarget(facts: ClusterFacts): string | undefined {
  const now = controlPlaneVersion(facts);
  return now && now.minor < NEWEST_TARGET_MINOR ? minorText({ major: now.major, minor: now.minor + 1 }) : undefined;
}

/** The target with its patch: as given, or the newest that every node's repository offers for all three packages. */
export function resolveTarget(text: string, facts: ClusterFacts): Target | undefined {
  const target = parseTarget(text);
  if (!target || target.version) return target;
  const version = newestOfferedEverywhere(facts, target);
  return version ? { ...target, version } : target;
}

/** `1.37.2` or, unresolved, `1.37`: for messages. */
export const targetText = (target: Target): string => (target.version ? formatVersion(target.version) : minorText(target));
export const minorText = (target: { readonly major: number; readonly minor: number }): string => `${target.major}.${target.minor}`;

/** Pre-releases are never chosen by themselves. */
function newestOfferedEverywhere(facts: ClusterFacts, minor: { readonly major: number; readonly minor: number }): Version | undefined {
  const offers = facts.nodes.flatMap(({ host }) => (host?.reached && host.host.candidates.known ? [host.host.candidates.value] : []));
  const [first, ...others] = offers;
  if (!first) return undefined;
  const common = versionsOffered(first).filter((version) => others.every((offer) => versionsOffered(offer).includes(version)));
  const releases = common
    .flatMap((version) => parseVersion(version) ?? [])
    .filter((v) => v.pre === undefined && v.major === minor.major && v.minor === minor.minor);
  return releases.sort(compareVersions).at(-1);
}

/** Upstream versions that are there as kubeadm, kubelet and kubectl. */
export function versionsOffered(offer: CandidateFacts): readonly string[] {
  const kubelet = offer.kubelet.map(upstreamOf);
  const kubectl = offer.kubectl.map(upstreamOf);
  const kubeadm = new Set(offer.kubeadm.map(upstreamOf));
  return [...kubeadm].filter((version) => kubelet.includes(version) && kubectl.includes(version));
}
