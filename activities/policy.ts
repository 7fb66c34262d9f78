import type { ClusterSpec, WorkerStrategy } from '../domain/cluster.js';
import type { PlanResult } from '../domain/plan.js';
import { planUpgrade } from '../domain/plan-upgrade.js';
import { minorOf, parseMinor, parseVersion } from '../domain/version.js';
import { StepFailure } from './failure.js';
import { inspectCluster } from './inspect.js';
import type { KubeApi } from './ports/kube-api.js';
import type { RemoteShell } from './ports/remote-shell.js';

export interface PlanRequest {
  readonly cluster: string;
  /** `1.37`, `1.37.2`, or `next`: the minor after the API server's. */
  readonly to: string;
  readonly workers?: WorkerStrategy;
  readonly maxUnavailable?: string;
}

/** The configuration with what this one run overrides. */
export function withOverrides(spec: ClusterSpec, request: Pick<PlanRequest, 'workers' | 'maxUnavailable'>): ClusterSpec {
  const { workers, maxUnavailable } = request;
  return { ...spec, upgrade: { ...spec.upgrade, ...(workers ? { workers } : {}), ...(maxUnavailable ? { maxUnavailable } : {}) } };
}

/** Facts of this moment and what they allow. */
export async function planNow(ports: { shell: RemoteShell; kube: KubeApi }, given: ClusterSpec, request: PlanRequest, signal: AbortSignal): Promise<PlanResult> {
  const spec = withOverrides(given, request);
  const to = request.to === 'next' ? await nextMinor(ports.kube, spec, signal) : request.to.replace(/^v/, '');
  const version = parseVersion(to);
  const minor = version ? minorOf(version) : to;
  const facts = await inspectCluster(ports, spec, { ...(version ?? parseMinor(to) ? { minor } : {}), ...(version ? { version: to } : {}) }, signal);
  return planUpgrade(facts, { to: request.to === 'next' ? 'next' : to, spec });
}

async function nextMinor(kube: KubeApi, spec: ClusterSpec, signal: AbortSignal): Promise<string> {
  const { gitVersion } = await kube.request<{ gitVersion: string }>(spec, { method: 'GET', path: '/version', signal });
  const version = parseVersion(gitVersion);
  if (!version) throw new StepFailure('Defect', `The API server names its version ${JSON.stringify(gitVersion)}.`);
  return `${version.major}.${version.minor + 1}`;
}
