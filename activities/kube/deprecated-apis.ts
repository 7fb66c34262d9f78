import type { ClusterSpec } from '../../domain/cluster.js';
import type { DeprecatedApiUse } from '../../domain/facts.js';
import type { KubeApi } from '../ports/kube-api.js';

/**
 * Deprecated APIs that were asked for since the API server started: its own gauge apiserver_requested_deprecated_apis (Kubernetes 1.19 and later).
 * One server's answer only; it forgets at each restart.
 */
export async function deprecatedApis(kube: KubeApi, cluster: ClusterSpec, signal: AbortSignal): Promise<DeprecatedApiUse[]> {
  const text = await kube.request<string>(cluster, { method: 'GET', path: '/metrics', timeoutMs: 30_000, signal });
  return parseDeprecatedApis(text);
}

export function parseDeprecatedApis(text: string): DeprecatedApiUse[] {
  const uses: DeprecatedApiUse[] = [];
  for (const line of text.split('\n')) {
    const match = /^apiserver_requested_deprecated_apis\{(.*)\} 1$/.exec(line);
    if (!match) continue;
    const labels: Record<string, string | undefined> = Object.fromEntries([...(match[1] ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']): [string, string] => [key, value]));
    if (!labels['removed_release']) continue;
    uses.push({
      group: labels['group'] ?? '', version: labels['version'] ?? '', resource: labels['resource'] ?? '', removedIn: labels['removed_release'],
      source: 'metric apiserver_requested_deprecated_apis',
    });
  }
  return uses;
}
