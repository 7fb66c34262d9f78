import { readFile, stat } from 'node:fs/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { type ClusterSpec, isControlPlane, type NodeSpec } from '../../domain/cluster.js';
import { StepFailure } from '../failure.js';
import { type KubeApi, type KubeRequest, KubeStatusError, type WatchEvent } from '../ports/kube-api.js';
import type { RemoteShell } from '../ports/remote-shell.js';
import { readAdminConf, throughPort } from './admin-conf.js';
import { KubeHttp } from './kube-http.js';

interface Connection {
  readonly http: KubeHttp;
  /** Changes when the kubeconfig file does; then the connection is made anew. */
  readonly stamp: string;
}

/** The Kubernetes API of each cluster: by its kubeconfig, or through SSH with a control-plane node's admin.conf when none is given. */
export class KubeClient implements KubeApi {
  private readonly connections = new Map<string, Promise<Connection>>();
  /** Clusters that have answered something to these credentials. */
  private readonly allowed = new Set<string>();

  constructor(private readonly shell: RemoteShell) {}

  async request<T>(cluster: ClusterSpec, request: KubeRequest): Promise<T> {
    return this.patiently(cluster, request.signal, (http) => http.request<T>(request));
  }

  async watch<T>(cluster: ClusterSpec, path: string, query: Readonly<Record<string, string>>, onEvent: (event: WatchEvent<T>) => void, signal: AbortSignal): Promise<'closed' | 'expired' | 'aborted'> {
    return this.patiently(cluster, signal, (http) => http.watch(path, query, onEvent, signal));
  }

  /**
   * An API server that has just started knows no role bindings for some seconds and forbids everything to everybody (seen after each restart of it in an
   * upgrade). So a refusal by RBAC is asked again: for a minute where this very access worked before, for some seconds where it never did.
   */
  private async patiently<T>(cluster: ClusterSpec, signal: AbortSignal | undefined, ask: (http: KubeHttp) => Promise<T>): Promise<T> {
    let until: number | undefined;
    for (;;) {
      const connection = await this.connect(cluster);
      try {
        const answer = await ask(connection.http);
        this.allowed.add(cluster.cluster);
        return answer;
      } catch (error) {
        this.forgetTunnel(cluster, error);
        if (!isRbacRefusal(error) || signal?.aborted) throw error;
        until ??= Date.now() + (this.allowed.has(cluster.cluster) ? 60_000 : 5_000);
        if (Date.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  /** A tunnel may lead to a control-plane node that is down: the next try looks for another. */
  private forgetTunnel(cluster: ClusterSpec, error: unknown): void {
    if (!cluster.kubeconfig && error instanceof StepFailure) this.connections.delete(cluster.cluster);
  }

  private async connect(cluster: ClusterSpec): Promise<Connection> {
    const stamp = cluster.kubeconfig ? await fileStamp(cluster.kubeconfig) : JSON.stringify(cluster.nodes.filter(isControlPlane));
    const open = this.connections.get(cluster.cluster);
    if (open) {
      const connection = await open;
      if (connection.stamp === stamp) return connection;
      connection.http.close();
    }
    const opening = this.open(cluster, stamp);
    this.connections.set(cluster.cluster, opening);
    opening.catch(() => this.connections.delete(cluster.cluster));
    return opening;
  }

  private async open(cluster: ClusterSpec, stamp: string): Promise<Connection> {
    if (cluster.kubeconfig) {
      return { http: new KubeHttp(parseKubeconfig(await readFile(cluster.kubeconfig, 'utf8'), cluster.kubeconfig)), stamp };
    }
    const reasons: string[] = [];
    for (const node of cluster.nodes.filter(isControlPlane)) {
      try {
        return { http: new KubeHttp(await this.tunnel(cluster, node)), stamp };
      } catch (error) {
        if (!(error instanceof StepFailure)) throw error;
        if (error.kind !== 'HostUnreachable' && error.kind !== 'ConnectionLost') throw error;
        reasons.push(`${node.name}: ${error.message}`);
      }
    }
    throw new StepFailure('ApiUnreachable', `No control-plane node could be reached for a tunnel to the API server. ${reasons.join(' ')}`);
  }

  /** admin.conf stays in this process's memory; the server's name is still checked against its certificate. */
  private async tunnel(cluster: ClusterSpec, node: NodeSpec): Promise<KubeConfig> {
    const path = '/etc/kubernetes/admin.conf';
    const result = await this.shell.run(cluster, node, { program: 'cat', args: [path] }, { timeoutMs: 15_000 });
    if (result.exitCode !== 0) throw new StepFailure('KubeconfigInvalid', `${path} on ${node.name} cannot be read: ${result.stderr.trim()}`);
    const access = readAdminConf(result.stdout, `${path} on ${node.name}`);
    const { localPort } = await this.shell.forward(cluster, node, access.host, access.port);
    return throughPort(access, localPort);
  }
}

const isRbacRefusal = (error: unknown): boolean => error instanceof KubeStatusError && error.code === 403 && /User ".*" cannot /.test(error.message);

async function fileStamp(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${path}:${mtimeMs}:${size}:${ino}`;
  } catch (error) {
    throw new StepFailure('KubeconfigInvalid', `The kubeconfig ${path} cannot be read: ${(error as Error).message}`);
  }
}

function parseKubeconfig(text: string, where: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
  } catch (error) {
    throw new StepFailure('KubeconfigInvalid', `${where} is no kubeconfig: ${(error as Error).message}`);
  }
  if (!config.getCurrentCluster()?.server) throw new StepFailure('KubeconfigInvalid', `${where} names no current cluster with a server.`);
  return config;
}
