/**
 * From one version to another in single steps: the control plane never skips a minor (kubernetes.io "Upgrading kubeadm clusters").
 *
 * The path is worked out for any distance; how many hops one plan carries out is a number, so that several come later without a new shape.
 */
import { compareVersions, formatVersion, minorOf, minorsAhead, type Version } from './version.js';

/** Hops that one plan carries out today. */
export const HOPS_PER_PLAN = 1;

export type Path =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'hops'; readonly minors: readonly string[]; readonly patchOnly: boolean }
  | { readonly kind: 'too-far'; readonly minors: readonly string[]; readonly first: string }
  | { readonly kind: 'downgrade' }
  | { readonly kind: 'other-major' };

/** The way from `from` to the wanted minor, and patch when it is known. */
export function pathTo(from: Version, target: { readonly major: number; readonly minor: number; readonly version?: Version }): Path {
  const distance = minorsAhead({ major: target.major, minor: target.minor, patch: 0 }, from);
  if (Number.isNaN(distance)) return { kind: 'other-major' };
  if (distance < 0) return { kind: 'downgrade' };
  if (distance === 0) return patchStep(from, target.version);
  const minors = Array.from({ length: distance }, (_, i) => `${from.major}.${from.minor + 1 + i}`);
  const first = minors[0] ?? minorOf(from);
  return minors.length > HOPS_PER_PLAN ? { kind: 'too-far', minors, first } : { kind: 'hops', minors, patchOnly: false };
}

function patchStep(from: Version, version: Version | undefined): Path {
  const order = version === undefined ? 0 : compareVersions(version, from);
  if (order < 0) return { kind: 'downgrade' };
  return order === 0 ? { kind: 'nothing' } : { kind: 'hops', minors: [minorOf(from)], patchOnly: true };
}

/** `1.35.4 → 1.36 → 1.37`: for people. */
export const pathText = (from: Version, minors: readonly string[]): string => [formatVersion(from), ...minors].join(' → ');
