/**
 * Which container runtime goes with which kubelet.
 * Sources: containerd RELEASES.md (Kubernetes support), release notes 1.24 (dockershim), 1.26 (CRI v1alpha2), 1.36 and 1.38 (RuntimeConfig).
 */
import { compareVersions, parseVersion, type Version } from './version.js';

export interface RuntimeVerdict {
  readonly level: 'fine' | 'warn' | 'refuse';
  readonly why: string;
}

const fine: RuntimeVerdict = { level: 'fine', why: '' };
const warn = (why: string): RuntimeVerdict => ({ level: 'warn', why });
const refuse = (why: string): RuntimeVerdict => ({ level: 'refuse', why });

const v = (major: number, minor: number, patch = 0): Version => ({ major, minor, patch });
const below = (version: Version, limit: Version): boolean => compareVersions(version, limit) < 0;

/** `containerd://2.4.2`, `containerd://1.7.24~ds1`, `cri-o://1.36.1`, `docker://20.10.5`. */
export function parseRuntime(text: string): { readonly name: string; readonly version?: Version } | undefined {
  const match = /^([a-z-]+):\/\/v?(\d+\.\d+\.\d+)?/.exec(text);
  if (!match?.[1]) return undefined;
  const version = match[2] === undefined ? undefined : parseVersion(match[2]);
  return { name: match[1], ...(version ? { version } : {}) };
}

/** The runtime beside a kubelet of the target minor. For a patch hop what already runs together is only warned about. */
export function runtimeVerdict(text: string, targetMinor: number, kubelet: string): RuntimeVerdict {
  const verdict = judge(text, targetMinor);
  const running = parseVersion(kubelet);
  return verdict.level === 'refuse' && running?.minor === targetMinor ? warn(verdict.why) : verdict;
}

function judge(text: string, targetMinor: number): RuntimeVerdict {
  const runtime = parseRuntime(text);
  if (runtime?.name === 'docker') return targetMinor >= 24 ? refuse('the kubelet has no dockershim from 1.24 on') : fine;
  if (runtime?.name === 'cri-o') return fine;
  if (runtime?.name !== 'containerd') return warn('drydock knows no rule for this runtime');
  if (!runtime.version) return refuse('its version is not readable');
  return containerd(runtime.version, targetMinor);
}

function containerd(version: Version, targetMinor: number): RuntimeVerdict {
  if (targetMinor >= 36) {
    if (version.major < 2) return refuse(`containerd 2.x is wanted from 1.36 on`);
    return below(version, v(2, 2)) ? warn('containerd supports 1.36 and later from 2.2 on') : fine;
  }
  if (targetMinor >= 26 && below(version, v(1, 6))) return refuse('containerd 1.6 or later is wanted from 1.26 on (CRI v1)');
  if (targetMinor === 35) {
    const old = below(version, v(1, 7, 28)) || (version.major === 2 && (below(version, v(2, 1, 5)) || version.minor === 0));
    return old ? warn('containerd supports 1.35 from 1.7.28, 2.1.5 and 2.2.0 on') : fine;
  }
  return fine;
}
