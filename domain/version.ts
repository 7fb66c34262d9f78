/** A Kubernetes version. `pre` is the pre-release part without the dash (`rc.0`), absent for a release. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly pre?: string;
}

const FULL = /^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;
const MINOR = /^v?(\d+)\.(\d+)$/;

/** Parses `1.36.3`, `v1.36.3`, `1.37.0-rc.0`, `v1.36.3+build`. Undefined for anything else. */
export function parseVersion(text: string): Version | undefined {
  const match = FULL.exec(text.trim());
  if (!match) return undefined;
  const [, major, minor, patch, pre] = match;
  const version = { major: Number(major), minor: Number(minor), patch: Number(patch) };
  return pre === undefined ? version : { ...version, pre };
}

/** Parses `1.37` or `v1.37`. Undefined for anything else, a full version included. */
export function parseMinor(text: string): { major: number; minor: number } | undefined {
  const match = MINOR.exec(text.trim());
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : undefined;
}

/** `1.36.3`, without a leading v: the form used everywhere inside drydock. */
export function formatVersion(version: Version): string {
  const base = `${version.major}.${version.minor}.${version.patch}`;
  return version.pre === undefined ? base : `${base}-${version.pre}`;
}

/** `1.36`: the form of package repositories and hops. */
export function minorOf(version: Version): string {
  return `${version.major}.${version.minor}`;
}

/** Negative, zero or positive, by semantic-version order: a pre-release comes before its release. */
export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || comparePre(a.pre, b.pre);
}

function comparePre(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  const left = a.split('.');
  const right = b.split('.');
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = comparePreField(left[i], right[i]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Numeric fields by number and before text; a missing field before a present one (semver.org, item 11). */
function comparePreField(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  const aNumeric = /^\d+$/.test(a);
  const bNumeric = /^\d+$/.test(b);
  if (aNumeric && bNumeric) return Number(a) - Number(b);
  if (aNumeric !== bNumeric) return aNumeric ? -1 : 1;
  return a < b ? -1 : 1;
}

/** How many minors `a` is ahead of `b`; negative when it is behind. Majors are not bridged: NaN. */
export function minorsAhead(a: Version, b: Version): number {
  return a.major === b.major ? a.minor - b.minor : Number.NaN;
}
