/** Watches budgets and pods from outside during an upgrade, twice a second. */
import type { V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';
import type { LabCluster } from '../../lab/index.js';
import { isReady, KubeReader } from './lab-kube.js';
import { sleep } from './lab-run.js';

const EVERY_MS = 500;

/** What one budget went through. */
export interface BudgetLog {
  readonly name: string;
  /** Healthy pods that it wants, as the API server said at the start. */
  readonly desired: number;
  /** Fewest ready pods that were counted, terminating ones not among them. */
  fewest: number;
}

/**
 * Two independent questions in each round: what the budget's own status says (currentHealthy against desiredHealthy, once its controller has seen the
 * present budget), and our own count of ready pods by its selector. One list of pods is one moment of the cluster, and an eviction sets the deletion time in
 * the same write that the budget allowed, so a pod that is leaving is never counted as ready. A budget counts from the first round in which it was kept.
 */
export class BudgetWatch {
  readonly violations: string[] = [];
  readonly logs = new Map<string, BudgetLog>();
  rounds = 0;
  unanswered = 0;
  longestSilenceMs = 0;
  private readonly kube: KubeReader;
  private going = true;
  private readonly loop: Promise<void>;

  constructor(cluster: LabCluster, private readonly namespace = 'shop') {
    this.kube = new KubeReader(cluster);
    this.loop = this.watch();
  }

  async stop(): Promise<void> {
    this.going = false;
    await this.loop;
    this.kube.close();
  }

  summary(): string {
    const budgets = [...this.logs.values()].map(({ name, desired, fewest }) => `${name} ${fewest} of at least ${desired}`).join(', ');
    return `${this.rounds} rounds, ${this.unanswered} without an answer (longest silence ${(this.longestSilenceMs / 1000).toFixed(1)} s); fewest ready pods: ${budgets}`;
  }

  private async watch(): Promise<void> {
    let heard = Date.now();
    while (this.going) {
      const began = Date.now();
      try {
        const [budgets, pods] = await Promise.all([
          this.kube.get<{ items: V1PodDisruptionBudget[] }>(`/apis/policy/v1/namespaces/${this.namespace}/poddisruptionbudgets`, 2_000),
          this.kube.get<{ items: V1Pod[] }>(`/api/v1/namespaces/${this.namespace}/pods`, 2_000),
        ]);
        this.look(budgets.items, pods.items);
        this.rounds++;
        this.longestSilenceMs = Math.max(this.longestSilenceMs, began - heard);
        heard = Date.now();
      } catch {
        // The only API server is away while it is replaced; nothing can be evicted through it then.
        this.unanswered++;
      }
      await sleep(Math.max(0, began + EVERY_MS - Date.now()));
    }
  }

  private look(budgets: readonly V1PodDisruptionBudget[], pods: readonly V1Pod[]): void {
    for (const budget of budgets) {
      const name = budget.metadata?.name ?? '';
      const { currentHealthy = 0, desiredHealthy = 0, observedGeneration } = budget.status ?? {};
      const wanted = Object.entries(budget.spec?.selector?.matchLabels ?? {});
      const selected = pods.filter((pod) => wanted.every(([key, value]) => pod.metadata?.labels?.[key] === value));
      const ready = selected.filter((pod) => pod.metadata?.deletionTimestamp === undefined && isReady(pod)).length;
      let log = this.logs.get(name);
      if (!log) {
        if (ready < desiredHealthy || currentHealthy < desiredHealthy) continue;
        this.logs.set(name, (log = { name, desired: desiredHealthy, fewest: ready }));
      }
      log.fewest = Math.min(log.fewest, ready);
      const at = new Date().toISOString();
      if (ready < log.desired) this.violations.push(`${at} ${name}: ${ready} ready pods, ${log.desired} wanted: ${selected.map(inWords).join('; ')}`);
      if (observedGeneration === budget.metadata?.generation && currentHealthy < log.desired) this.violations.push(`${at} ${name}: currentHealthy ${currentHealthy}, ${log.desired} wanted`);
    }
  }
}

function inWords(pod: V1Pod): string {
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  const leaving = pod.metadata?.deletionTimestamp === undefined ? '' : ', leaving';
  return `${pod.metadata?.name} on ${pod.spec?.nodeName ?? 'no node'} ${isReady(pod) ? 'ready' : `not ready (${ready?.reason ?? pod.status?.phase})`} since ${String(ready?.lastTransitionTime ?? '')}${leaving}`;
}
