import { usage } from './error.js';

/** Every version the lab knows, in one place. The last patch of a minor is what the bare minor means. */
export const KUBERNETES: Readonly<Record<string, readonly string[]>> = {
  '1.35': ['1.35.4'],
  '1.36': ['1.36.1', '1.36.3'],
  '1.37': ['1.37.2'],
};
/** The minor `lab up` takes when none is named. */
export const DEFAULT_MINOR = '1.36';
export const CONTAINERD = '2.4.2';
export const PAUSE = '3.10.2';
/** Debian's release on the nodes. */
export const DEBIAN = 'bookworm';
/** The revision of the Kubernetes packages, as the official ones have it. */
export const REVISION = '1.1';

/** Versions known to be had as Go modules. kubeadm may ask for another patch: the nearest of its minor stands in. */
export const ETCD = ['3.5.21', '3.5.35', '3.6.6', '3.6.8', '3.6.11', '3.6.16', '3.7.0'] as const;
export const COREDNS = ['1.14.4', '1.14.6'] as const;

export const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.');

/** `1.36` or `1.36.1`, with or without a leading v, as the exact version. */
export function resolveVersion(text: string): string {
  const wanted = text.replace(/^v/, '');
  const known = Object.values(KUBERNETES).flat().join(', ');
  if (!/^\d+\.\d+(\.\d+)?$/.test(wanted)) {
    throw usage(`version ${JSON.stringify(text)}: not a version`, `Give a minor such as ${DEFAULT_MINOR}, or one of ${known}.`);
  }
  const patches = KUBERNETES[minorOf(wanted)];
  const latest = patches?.at(-1);
  if (latest === undefined) throw usage(`version ${wanted}: the lab does not know this minor`, `It knows ${known}.`);
  return wanted.split('.').length === 2 ? latest : wanted;
}

/** The known version nearest to `wanted` within its minor (else the newest known), to stand in for it. */
export function nearest(wanted: string, known: readonly string[]): string {
  const patch = (version: string): number => Number(version.split('.')[2] ?? 0);
  const distance = (version: string): number => Math.abs(patch(version) - patch(wanted));
  const same = known.filter((version) => minorOf(version) === minorOf(wanted));
  return same.toSorted((a, b) => distance(a) - distance(b) || patch(b) - patch(a))[0] ?? known.at(-1) ?? wanted;
}
