import type { V1Namespace } from '@kubernetes/client-node';
import type { ClusterSpec } from '../domain/cluster.js';
import { StepFailure } from './failure.js';
import { isTransient } from './kube/failure-of.js';
import { type KubeApi, KubeStatusError } from './ports/kube-api.js';

const FRESH_MS = 60_000;

/** The uid of namespace kube-system is the cluster's own: it lives as long as the cluster and no two have the same. */
export class ClusterIdentity {
  private readonly seen = new Map<string, { uid: string; at: number }>();
  private readonly asking = new Map<string, Promise<string | undefined>>();

  constructor(private readonly kube: KubeApi) {}

  /**
   * Throws StepFailure WrongCluster when the configuration leads to another cluster than the one that was planned for. Many steps go by SSH alone while the
   * API server is away: then its last answer counts, and without one nothing is compared.
   */
  async check(spec: ClusterSpec, planned: string | undefined, signal: AbortSignal): Promise<void> {
    if (planned === undefined || planned === '') return;
    const known = this.seen.get(spec.cluster);
    if (known?.uid === planned && Date.now() - known.at < FRESH_MS) return;
    const uid = (await this.ask(spec)) ?? known?.uid ?? planned;
    signal.throwIfAborted();
    if (uid === planned) return;
    throw new StepFailure('WrongCluster', `Nothing was done: the configuration of ${spec.cluster} now leads to another cluster (namespace kube-system has uid ${uid}) than the one this run was planned for (${planned}).`);
  }

  /** One question at a time for each cluster: hundreds of nodes ask at once. */
  private ask(spec: ClusterSpec): Promise<string | undefined> {
    const open = this.asking.get(spec.cluster);
    if (open) return open;
    const asked = this.read(spec).finally(() => this.asking.delete(spec.cluster));
    this.asking.set(spec.cluster, asked);
    return asked;
  }

  private async read(spec: ClusterSpec): Promise<string | undefined> {
    try {
      const { metadata } = await this.kube.request<V1Namespace>(spec, { method: 'GET', path: '/api/v1/namespaces/kube-system', timeoutMs: 5_000 });
      if (!metadata?.uid) return undefined;
      this.seen.set(spec.cluster, { uid: metadata.uid, at: Date.now() });
      return metadata.uid;
    } catch (error) {
      // An API server that has just started forbids everything for some seconds.
      if (isTransient(error) || (error instanceof KubeStatusError && error.code === 403)) return undefined;
      throw error;
    }
  }
}
