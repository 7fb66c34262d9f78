/** A cluster seen from outside: another client of its API than drydock's, kubectl, and its nodes by ssh. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { labSsh, type LabCluster } from '../../lab/index.js';
import { kubectl as labKubectl } from '../../lab/kubeadm.js';

export const kubectl = (cluster: LabCluster, ...args: string[]): Promise<string> => labKubectl(cluster, args);

/** Runs a shell command on a node that must succeed. */
export async function onNode(cluster: LabCluster, node: string, command: string): Promise<string> {
  const result = await labSsh(cluster, node, command);
  assert.equal(result.exitCode, 0, `${node}: ${command} ended with ${result.exitCode}: ${result.stderr}`);
  return result.stdout;
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
}

/** Plain GETs with the administrator's certificate. */
export class KubeReader {
  private readonly agent: Agent;
  private readonly server: string;

  constructor(cluster: Pick<LabCluster, 'kubeconfig'>) {
    const { clusters, users } = parse(readFileSync(cluster.kubeconfig, 'utf8')) as Kubeconfig;
    const [entry, user] = [clusters[0]?.cluster, users[0]?.user];
    assert.ok(entry && user);
    const decode = (data: string): Buffer => Buffer.from(data, 'base64');
    this.server = entry.server;
    this.agent = new Agent({ keepAlive: true, ca: decode(entry['certificate-authority-data']), cert: decode(user['client-certificate-data']), key: decode(user['client-key-data']) });
  }

  get<T>(path: string, timeoutMs = 3_000): Promise<T> {
    return new Promise((resolve, reject) => {
      const asked = request(`${this.server}${path}`, { agent: this.agent, timeout: timeoutMs }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(JSON.parse(text) as T);
          else reject(new Error(`GET ${path}: ${response.statusCode} ${text.slice(0, 200)}`));
        });
      });
      asked.on('timeout', () => asked.destroy(new Error(`GET ${path}: no answer within ${timeoutMs} ms`)));
      asked.on('error', reject);
      asked.end();
    });
  }

  async node(name: string): Promise<V1Node> {
    return this.get<V1Node>(`/api/v1/nodes/${name}`);
  }

  async nodes(): Promise<V1Node[]> {
    return (await this.get<{ items: V1Node[] }>('/api/v1/nodes')).items;
  }

  async pods(namespace: string): Promise<V1Pod[]> {
    return (await this.get<{ items: V1Pod[] }>(`/api/v1/namespaces/${namespace}/pods`)).items;
  }

  close(): void {
    this.agent.destroy();
  }
}

export const isReady = (object: V1Node | V1Pod): boolean => object.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
export const isCordoned = (node: V1Node): boolean => node.spec?.unschedulable ?? false;
export const ownCordon = (node: V1Node): string | undefined => node.metadata?.annotations?.['drydock/cordoned-by'];

/** kubeadm, kubelet and kubectl as dpkg has them, and the holds. */
export async function packagesOf(cluster: LabCluster, node: string): Promise<{ versions: Record<string, string>; held: string[] }> {
  const text = await onNode(cluster, node, "dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\\n' kubeadm kubelet kubectl; echo; apt-mark showhold");
  const [installed = '', held = ''] = text.split('\n\n');
  const versions = Object.fromEntries(installed.split('\n').map((line) => line.split(' ')).map(([name = '', version = '', status = '']) => [name, status === 'installed' ? version : `${version} (${status})`]));
  return { versions, held: held.split('\n').filter((line) => line !== '').sort() };
}

/** A unit of drydock that the node's journal saw start. */
export interface StartedUnit {
  readonly run8: string;
  readonly step: string;
  readonly attempt: number;
}

/** From the journal of all boots: what systemd itself says it started. */
export async function startedUnits(cluster: LabCluster, node: string): Promise<StartedUnit[]> {
  const text = await onNode(cluster, node, "journalctl --no-pager -o cat | grep '^Started drydock-' || true");
  return text.split('\n').flatMap((line) => {
    const [, run8 = '', step = '', attempt = ''] = /^Started drydock-([A-Za-z0-9]+)-(.+)-(\d+)(?:_[0-9a-f]{8})?\.service/.exec(line) ?? [];
    return step === '' ? [] : [{ run8, step, attempt: Number(attempt) }];
  });
}

/** The record of one attempt of a step, as it lies on the node's disk. */
export interface StepRecord {
  /** Directory name: the step, with `.2` for a second attempt. */
  readonly name: string;
  readonly boot: string;
  readonly begun: number;
  readonly code: number | undefined;
  readonly ended: number | undefined;
}

export async function recordsOf(cluster: LabCluster, node: string, run: string): Promise<{ boot: string; records: StepRecord[] }> {
  const script = `cat /proc/sys/kernel/random/boot_id; cd /var/lib/drydock/${run} 2>/dev/null || exit 0; for dir in *; do echo "$dir|$(cat "$dir/begin")|$(cat "$dir/exit" 2>/dev/null)"; done`;
  const [boot = '', ...lines] = (await onNode(cluster, node, script)).split('\n');
  const records = lines.filter((line) => line !== '').map((line): StepRecord => {
    const [name = '', begin = '', exit = ''] = line.split('|');
    const [itsBoot = '', begun = ''] = begin.trim().split(' ');
    const [code, ended] = exit.trim().split(' ');
    return { name, boot: itsBoot, begun: Number(begun), code: code ? Number(code) : undefined, ended: ended ? Number(ended) : undefined };
  });
  return { boot, records };
}
