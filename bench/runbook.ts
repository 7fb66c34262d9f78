/** The upgrade as an expert types it: one command after the other over ssh, each waiting for the evidence that drydock waits for. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { execa } from 'execa';
import { isMirror, isNodeReady, isPodReady, kubeletVersionOf } from '../activities/kube/objects.js';
import type { LabCluster, LabNode } from '../lab/index.js';
import { sleep } from './support.js';

export interface RunbookOptions {
  /** Exact version, 1.37.2, and package revision. */
  readonly to: string;
  readonly minor: string;
  readonly revision: string;
  readonly steadySeconds: number;
  readonly ignorePreflight: readonly string[];
}

export interface RunbookReport {
  readonly steps: { node: string; step: string; seconds: number }[];
  readonly evictions: number;
}

const ETCD = '--endpoints=https://127.0.0.1:2379 --cacert=/etc/kubernetes/pki/etcd/ca.crt --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt --key=/etc/kubernetes/pki/etcd/healthcheck-client.key';
const KUBECTL = 'kubectl --kubeconfig /etc/kubernetes/admin.conf';

export async function runbook(cluster: LabCluster, options: RunbookOptions): Promise<RunbookReport> {
  const folder = await mkdtemp(join(tmpdir(), 'drydock-runbook-'));
  const first = cluster.nodes.find(({ role }) => role === 'control-plane');
  if (!first) throw new Error('no control plane');
  const report: RunbookReport & { evictions: number } = { steps: [], evictions: 0 };

  // One connection a node, kept: an expert has ControlMaster in ~/.ssh/config.
  const sshOptions = ['-F', 'none', '-i', cluster.sshKey, ...['BatchMode=yes', `UserKnownHostsFile=${cluster.knownHosts}`, 'ControlMaster=auto', 'ControlPersist=600', `ControlPath=${join(folder, '%C')}`].flatMap((option) => ['-o', option])];
  const ssh = async (node: LabNode, command: string, timeout = 1_200_000): Promise<string> => (await execa('ssh', [...sshOptions, `root@${node.ip}`, command], { timeout, stdin: 'ignore' })).stdout;
  const kubectl = (args: string, timeout?: number): Promise<string> => ssh(first, `${KUBECTL} ${args}`, timeout);
  const step = async <T>(node: LabNode, title: string, act: () => Promise<T>): Promise<T> => {
    const began = Date.now();
    const value = await act();
    report.steps.push({ node: node.name, step: title, seconds: (Date.now() - began) / 1000 });
    return value;
  };
  /** Asks each second until it is so; what fails meanwhile (the API server restarts) is asked again. */
  const until = async (what: string, limitSeconds: number, isSo: () => Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + limitSeconds * 1000;
    while (!(await isSo().catch(() => false))) {
      if (Date.now() > deadline) throw new Error(`${what}: not within ${limitSeconds} s`);
      await sleep(1_000);
    }
  };

  const upgradeNode = async (node: LabNode, controlPlane: boolean): Promise<void> => {
    const apt = 'DEBIAN_FRONTEND=noninteractive apt-get install -y --allow-change-held-packages -o Dpkg::Options::=--force-confold';
    const full = `${options.to}-${options.revision}`;
    await step(node, 'repository', () => ssh(node, `sed -i -E 's|/v[0-9]+\\.[0-9]+/|/v${options.minor}/|' /etc/apt/sources.list.d/kubernetes.list && apt-get update -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/kubernetes.list -o Dir::Etc::sourceparts=/dev/null`));
    await step(node, 'kubeadm package', () => ssh(node, `${apt} kubeadm=${full}`));
    const ignore = `--ignore-preflight-errors=${options.ignorePreflight.join(',')}`;
    if (node === first) {
      await step(node, 'kubeadm upgrade plan', () => ssh(node, `kubeadm upgrade plan v${options.to} ${ignore}`));
      await step(node, 'kubeadm upgrade', () => ssh(node, `kubeadm upgrade apply v${options.to} --yes ${ignore}`));
    } else await step(node, 'kubeadm upgrade', () => ssh(node, `kubeadm upgrade node ${ignore}`));
    await step(node, 'drain', async () => {
      const said = await kubectl(`drain ${node.name} --ignore-daemonsets --delete-emptydir-data --force --timeout=600s`);
      report.evictions += said.split('\n').filter((line) => /^pod\/\S+ evicted/.test(line)).length;
    });
    await step(node, 'kubelet package', () => ssh(node, `${apt} kubelet=${full} kubectl=${full}`));
    const restartedAt = Date.now();
    await step(node, 'kubelet restart', () => ssh(node, 'systemctl daemon-reload && systemctl restart kubelet'));
    await step(node, controlPlane ? 'wait for ready and control plane' : 'wait for ready', () => steadyReady(node, controlPlane, restartedAt));
    await step(node, 'uncordon', () => until('uncordoned', 120, async () => {
      await kubectl(`uncordon ${node.name}`, 20_000);
      // Its exit status proves nothing: it has been 0 although the request failed.
      return (JSON.parse(await kubectl(`get node ${node.name} -o json`, 20_000)) as V1Node).spec?.unschedulable !== true;
    }));
    await step(node, 'deployments available', () => kubectl('wait deployment --all --all-namespaces --for=condition=Available --timeout=300s'));
  };

  /** Ready at the version, renewed since the restart, its own pods ready, static pods' containers unchanged and the API server ready: all of it for the steady time. */
  const steadyReady = async (node: LabNode, controlPlane: boolean, restartedAt: number): Promise<void> => {
    let since: number | undefined;
    let containers = '';
    await until(`${node.name} ready`, 600, async () => {
      const before = since;
      since = undefined;
      const [nodeText, podsText] = await Promise.all([kubectl(`get node ${node.name} -o json`, 20_000), kubectl(`get pods -A --field-selector spec.nodeName=${node.name} -o json`, 20_000)]);
      if (controlPlane) await kubectl('get --raw /readyz', 20_000);
      const kube = JSON.parse(nodeText) as V1Node;
      const own = (JSON.parse(podsText) as { items: V1Pod[] }).items.filter((pod) => isMirror(pod) || pod.metadata?.ownerReferences?.some((owner) => owner.kind === 'DaemonSet'));
      const heartbeat = Date.parse(String(kube.status?.conditions?.find((condition) => condition.type === 'Ready')?.lastHeartbeatTime));
      if (!isNodeReady(kube) || kubeletVersionOf(kube) !== options.to || heartbeat < restartedAt - 1_000 || !own.every(isPodReady)) return false;
      const ids = own.filter(isMirror).flatMap((pod) => pod.status?.containerStatuses?.map((status) => status.containerID) ?? []).sort().join(' ');
      since = before !== undefined && ids === containers ? before : Date.now();
      containers = ids;
      return Date.now() - since >= options.steadySeconds * 1000;
    });
  };

  try {
    await step(first, 'etcd snapshot', async () => {
      const tool = (name: string): string => `/proc/$(pidof etcd | cut -d' ' -f1)/root/usr/local/bin/${name}`;
      await ssh(first, `${tool('etcdctl')} ${ETCD} snapshot save /root/runbook.db && ${tool('etcdutl')} snapshot status /root/runbook.db -w json`);
      const [sum = ''] = (await ssh(first, 'sha256sum /root/runbook.db')).split(' ');
      await execa('scp', ['-q', ...sshOptions, `root@${first.ip}:/root/runbook.db`, join(folder, 'snapshot.db')]);
      const { stdout } = await execa('sha256sum', [join(folder, 'snapshot.db')]);
      if (!stdout.startsWith(sum)) throw new Error('the copy of the snapshot differs');
    });
    for (const node of cluster.nodes.filter(({ role }) => role === 'control-plane')) await upgradeNode(node, true);
    for (const node of cluster.nodes.filter(({ role }) => role === 'worker')) await upgradeNode(node, false);
    return report;
  } finally {
    for (const node of cluster.nodes) await execa('ssh', [...sshOptions, '-O', 'exit', `root@${node.ip}`], { reject: false });
    await rm(folder, { recursive: true, force: true });
  }
}
