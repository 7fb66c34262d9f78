/**
 * What the cluster would do if a node went away now, and when.
 *
 * After the grace period the controller manager marks the node and taints it not-ready or unreachable (NoExecute); each pod leaves when
 * its own tolerationSeconds are over. Sources: kubernetes.io "Taints and Tolerations", "Nodes"; release note 1.32 (#126287) for the grace
 * period; release notes 1.13, 1.18 (#87487), 1.26 (#113710), 1.27 (#115840) for --pod-eviction-timeout.
 */
import type { Version } from './version.js';

export interface WindowPod {
  /** `namespace/name`. */
  readonly name: string;
  /** tolerationSeconds for not-ready and unreachable; `forever` without a limit; undefined without such a toleration. */
  readonly notReadySeconds?: number | 'forever';
  readonly unreachableSeconds?: number | 'forever';
  /** A static pod: the API server cannot move it. */
  readonly mirror?: boolean;
  /** Succeeded or Failed: nothing runs. */
  readonly finished?: boolean;
}

export interface EvictionWindow {
  /** From `now` to the first eviction, at least 0. Null: nothing would move by itself. */
  readonly secondsToFirstEviction: number | null;
  readonly firstPod: string | null;
  readonly why: string;
}

/** Default of --node-monitor-grace-period: 40 s up to 1.31, 50 s from 1.32. */
export const defaultMonitorGraceSeconds = (version: Pick<Version, 'minor'>): number => (version.minor >= 32 ? 50 : 40);

/**
 * A node that reboots is first unreachable and may come back not ready: the shorter of the two tolerations counts. A pod without the
 * toleration leaves with the taint at once.
 */
function secondsOf(pod: WindowPod): number | 'forever' {
  const each = [pod.notReadySeconds ?? 0, pod.unreachableSeconds ?? 0];
  const limits = each.filter((s): s is number => s !== 'forever').map((s) => Math.max(0, s));
  return limits.length === 0 ? 'forever' : Math.min(...limits);
}

export function evictionWindow(input: {
  readonly pods: readonly WindowPod[];
  readonly nodeMonitorGraceSeconds: number;
  /** ISO 8601: the node's last renewed lease; counted from now when absent. */
  readonly lastHeartbeat?: string;
  /** ISO 8601. */
  readonly now?: string;
}): EvictionWindow {
  const mortal = input.pods
    .filter((pod) => pod.mirror !== true && pod.finished !== true)
    .flatMap((pod) => {
      const seconds = secondsOf(pod);
      return seconds === 'forever' ? [] : [{ name: pod.name, seconds }];
    });
  const first = mortal.reduce<(typeof mortal)[number] | undefined>((low, pod) => (low === undefined || pod.seconds < low.seconds ? pod : low), undefined);
  if (!first) return { secondsToFirstEviction: null, firstPod: null, why: 'every pod on it tolerates the loss of the node for ever, or is a static pod' };
  const silent = silentSeconds(input.lastHeartbeat, input.now);
  const whole = input.nodeMonitorGraceSeconds + first.seconds;
  return {
    secondsToFirstEviction: Math.max(0, whole - silent),
    firstPod: first.name,
    why: `${input.nodeMonitorGraceSeconds} s grace period of the node, then ${first.seconds} s toleration of ${first.name}${silent > 0 ? `, less ${silent} s since its last heartbeat` : ''}`,
  };
}

function silentSeconds(lastHeartbeat: string | undefined, now: string | undefined): number {
  if (lastHeartbeat === undefined || now === undefined) return 0;
  const seconds = Math.round((Date.parse(now) - Date.parse(lastHeartbeat)) / 1000);
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
}

/** What --pod-eviction-timeout does on a cluster of this version, in one sentence. */
export function explainPodEvictionTimeout(version: Pick<Version, 'minor'>, flag = '--pod-eviction-timeout'): string {
  if (version.minor >= 27) return `${flag}: removed in 1.27, the controller manager does not start with it; tolerationSeconds of each pod decide`;
  if (version.minor >= 13) return `${flag} has no effect since 1.13, when evictions by taints became the default: tolerationSeconds of each pod decide (300 s unless set). It is removed in 1.27`;
  return `${flag} decides when pods of a lost node are evicted, up to 1.12; from 1.13 on tolerationSeconds of each pod do`;
}
