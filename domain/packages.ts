/** Debian package versions of kubeadm, kubelet and kubectl: `1.37.2-1.1` is upstream version and revision. */

export interface PackageVersion {
  readonly version: string;
  readonly revision: string;
}

/** Splits at the last dash, as dpkg does; an epoch (`1:`) is not part of the upstream version. */
export function parsePackageVersion(text: string): PackageVersion {
  const plain = text.replace(/^\d+:/, '');
  const dash = plain.lastIndexOf('-');
  return dash < 0 ? { version: plain, revision: '' } : { version: plain.slice(0, dash), revision: plain.slice(dash + 1) };
}

/** `1.37.2` of `1.37.2-1.1`. */
export const upstreamOf = (text: string): string => parsePackageVersion(text).version;

/**
 * The full package version to install: the revision insisted on, else the first (newest) offered.
 * The revision is never assumed: `1.28.14-2.1` exists (kubernetes.io: Upgrading Linux nodes; apt-cache madison).
 */
export function pickPackage(offers: readonly string[], version: string, revision?: string): string | undefined {
  return offers.find((offer) => {
    const parsed = parsePackageVersion(offer);
    return parsed.version === version && (revision === undefined || parsed.revision === revision);
  });
}
