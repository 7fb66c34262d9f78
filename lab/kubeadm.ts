import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { controlPlanesOf, workersOf, type LabCluster, type LabNode } from './cluster.js';
import { IGNORED_PREFLIGHT } from './cluster-files.js';
import { inNode } from './docker.js';
import { LabError } from './error.js';
import { cachePath } from './paths.js';
import type { Progress } from './progress.js';
import { attempt, run, type RunResult } from './run.js';
import { waitFor } from './wait.js';
import { writeFilesScript } from './nodes.js';

const IGNORE = `--ignore-preflight-errors=${IGNORED_PREFLIGHT.join(',')}`;

/** The file for `kubeadm init`. */
export function initConfig(cluster: LabCluster, first: LabNode, certificateKey: string): string {
  const documents = [
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'InitConfiguration',
      certificateKey,
      nodeRegistration: { criSocket: 'unix:///run/containerd/containerd.sock', ignorePreflightErrors: IGNORED_PREFLIGHT },
      localAPIEndpoint: { advertiseAddress: first.ip },
    },
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'ClusterConfiguration',
      clusterName: cluster.name,
      kubernetesVersion: `v${cluster.version}`,
      controlPlaneEndpoint: cluster.endpoint,
      networking: { podSubnet: '10.244.0.0/16' },
    },
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      cgroupDriver: 'cgroupfs',
      failCgroupV1: false,
      failSwapOn: false,
      resolvConf: '/etc/kubernetes/resolv.conf',
      // The nodes share this machine's disk: its fill level says nothing about them.
      imageGCHighThresholdPercent: 100,
      evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    },
    { apiVersion: 'kubeproxy.config.k8s.io/v1alpha1', kind: 'KubeProxyConfiguration', mode: 'iptables', conntrack: { maxPerCore: 0 } },
  ];
  return documents.map((document) => stringify(document)).join('---\n');
}

/** Makes the cluster: init on the first control plane, then the other control planes one by one and all workers at once. */
export async function formCluster(cluster: LabCluster, progress: Progress): Promise<void> {
  const [first, ...others] = controlPlanesOf(cluster);
  if (!first) throw new LabError('a cluster without control planes', 'Report this.');
  const certificateKey = randomBytes(32).toString('hex');
  await progress.step(`kubeadm init on ${first.name}`, async () => {
    const file = writeFilesScript([{ path: '/root/kubeadm.yaml', content: initConfig(cluster, first, certificateKey), mode: '600' }]);
    await inNode(first.name, 'kubeadm init', `${file}kubeadm init --config /root/kubeadm.yaml --upload-certs`, 300);
  });
  await writeFile(cluster.kubeconfig, await inNode(first.name, 'kubeconfig', 'cat /etc/kubernetes/admin.conf'), { mode: 0o600 });
  const join = `${(await inNode(first.name, 'join command', 'kubeadm token create --print-join-command')).trim()} ${IGNORE}`;
  const joinControlPlanes = async (): Promise<void> => {
    // One at a time: etcd takes one new member at once.
    for (const { name, ip } of others) {
      const command = `${join} --control-plane --apiserver-advertise-address ${ip} --certificate-key ${certificateKey}`;
      await progress.step(`join of ${name}`, () => inNode(name, 'kubeadm join', command, 300));
    }
  };
  const joinWorkers = async (): Promise<void> => {
    const workers = workersOf(cluster);
    if (workers.length === 0) return;
    await progress.step(`join of ${workers.map(({ name }) => name).join(', ')}`, () => Promise.all(workers.map(({ name }) => inNode(name, 'kubeadm join', join, 300))));
  };
  await Promise.all([joinControlPlanes(), joinWorkers()]);
  if (workersOf(cluster).length === 0) await kubectl(cluster, ['taint', 'nodes', '--all', 'node-role.kubernetes.io/control-plane-']);
}

const kubectlProgram = (cluster: LabCluster): string => join(cachePath('bin', `k8s-${cluster.version}`), 'kubectl');
const kubectlArgs = (cluster: LabCluster, args: string[]): string[] => ['--kubeconfig', cluster.kubeconfig, ...args];

/** Runs kubectl of the cluster's version against it; it must succeed. */
export const kubectl = (cluster: LabCluster, args: string[], options: { input?: string; timeoutSeconds?: number } = {}): Promise<string> =>
  run(kubectlProgram(cluster), kubectlArgs(cluster, args), { what: `kubectl ${args.slice(0, 3).join(' ')}`, timeoutSeconds: 60, ...options });

/** Where kubectl is, with the arguments that point it at the cluster. */
export const kubectlCommand = (cluster: LabCluster, args: string[]): [string, string[]] => [kubectlProgram(cluster), kubectlArgs(cluster, args)];

const tryKubectl = (cluster: LabCluster, args: string[]): Promise<RunResult> =>
  attempt(kubectlProgram(cluster), kubectlArgs(cluster, args), { what: 'kubectl', timeoutSeconds: 30 });

interface Conditions {
  items: { metadata: { name: string }; status: { conditions?: { type: string; status: string }[] } }[];
}

/** Names of what is not Ready in a list of nodes or pods. */
export const notReady = (list: Conditions): string[] =>
  list.items.filter(({ status }) => !status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')).map(({ metadata }) => metadata.name);

/** Waits until every node and every pod of kube-system is Ready. */
export async function settled(cluster: LabCluster): Promise<void> {
  let waitingFor = '';
  await waitFor('all nodes and system pods Ready', 300, async () => {
    const answers = await Promise.all([tryKubectl(cluster, ['get', 'nodes', '-o', 'json']), tryKubectl(cluster, ['get', 'pods', '-n', 'kube-system', '-o', 'json'])]);
    const bad = answers.find(({ exitCode }) => exitCode !== 0);
    if (bad) return void (waitingFor = bad.stderr);
    const [nodes, pods] = answers.map(({ stdout }) => JSON.parse(stdout) as Conditions);
    const missing = [...notReady(nodes ?? { items: [] }), ...notReady(pods ?? { items: [] })];
    waitingFor = `not Ready: ${missing.join(', ')}`;
    return missing.length === 0 && nodes?.items.length === cluster.nodes.length ? true : undefined;
  }, () => waitingFor);
}
