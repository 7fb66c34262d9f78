import { appendFile } from 'node:fs/promises';
import type { LabCluster, LabNode } from './cluster.js';
import { controlPlanesOf } from './cluster.js';
import { repositoryOf } from './cluster-files.js';
import { docker, inNode, LABEL, machineOptions, tryDocker } from './docker.js';
import { cniConfig, routesFor } from './network.js';
import { baseImageName, nodeImageName } from './node-image.js';
import { publicKey } from './packages.js';
import { serverPort } from './paths.js';
import type { Progress } from './progress.js';
import { sshKey } from './ssh.js';
import { waitFor } from './wait.js';
import { minorOf, REVISION } from './versions.js';

/** A file to be written on a node. */
interface NodeFile {
  path: string;
  content: string | Buffer;
  mode?: string;
  owner?: string;
}

/** A shell script that writes files whatever is in them. */
export const writeFilesScript = (files: NodeFile[]): string =>
  files
    .map(({ path, content, mode = '644', owner = 'root' }) => {
      const folder = path.slice(0, path.lastIndexOf('/'));
      const install = `base64 -d <<'END' | install -D -m ${mode} -o ${owner} /dev/stdin ${path}`;
      return `[ -d ${folder} ] || install -d -o ${owner} ${folder}\n${install}\n${Buffer.from(content).toString('base64')}\nEND\n`;
    })
    .join('');

const hostOptions = (network: string): string[] => ['--add-host', `packages:${network}.1`];

async function startNode(cluster: string, network: string, node: LabNode): Promise<void> {
  await docker(`${node.name}: starting`, [
    'run', '-d', '--name', node.name, '--hostname', node.name, '--label', `${LABEL}=${cluster}`, '--network', `drydock-lab-${cluster}`, '--ip', node.ip,
    // A reboot ends the container; this is what brings it back.
    '--restart', 'always', ...hostOptions(network), ...(await machineOptions()), nodeImageName(),
  ]);
}

/** Waits until systemd has done all of its start, and the host keys are there. */
async function booted(node: string): Promise<void> {
  let seen = '';
  await waitFor(`${node}: booted`, 90, async () => {
    const state = await tryDocker(['exec', node, 'sh', '-c', 'systemctl is-system-running; test -s /etc/ssh/ssh_host_ed25519_key.pub && echo keys'], 20);
    seen = (state.stdout + state.stderr).trim();
    return /^(running|degraded)\nkeys/.test(state.stdout) ? true : undefined;
  }, () => seen);
}

const MIRROR = (port: number): string => `server = "https://registry.k8s.io"\n[host."http://packages:${port}"]\n  capabilities = ["pull", "resolve"]\n`;
const SOURCE = (minor: string): string => `deb [signed-by=/etc/apt/keyrings/kubernetes-apt-keyring.gpg] ${repositoryOf(minor)} ./\n`;

async function prepareNode(cluster: LabCluster, node: LabNode, progress: Progress): Promise<void> {
  const { publicKey: authorized } = await sshKey(progress);
  const keys = ['root', 'ops', 'nopass'].map((owner): NodeFile => ({ path: `${owner === 'root' ? '/root' : `/home/${owner}`}/.ssh/authorized_keys`, content: authorized, mode: '600', owner }));
  const files: NodeFile[] = [
    ...keys,
    { path: '/etc/lab/routes', content: routesFor(cluster.nodes, node) },
    { path: '/etc/cni/net.d/10-lab.conflist', content: cniConfig(cluster.nodes.indexOf(node)) },
    { path: '/etc/containerd/certs.d/registry.k8s.io/hosts.toml', content: MIRROR(serverPort()) },
    { path: '/etc/apt/keyrings/kubernetes-apt-keyring.gpg', content: await publicKey(progress) },
    { path: '/etc/apt/sources.list.d/kubernetes.list', content: SOURCE(minorOf(cluster.version)) },
  ];
  const script = `${writeFilesScript(files)}systemctl restart lab-routes\ncat /etc/ssh/ssh_host_*_key.pub\n`;
  const hostKeys = await inNode(node.name, 'files', script);
  const lines = hostKeys.split('\n').filter(Boolean).map((key) => `${node.name},${node.ip} ${key.split(' ').slice(0, 2).join(' ')}\n`);
  await appendFile(cluster.knownHosts, lines.join(''));
}

/** Starts all machines of a cluster and makes them reachable by ssh. */
export async function bootNodes(cluster: LabCluster, network: string, progress: Progress): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => startNode(cluster.name, network, node)));
  await Promise.all(cluster.nodes.map(async (node) => {
    await booted(node.name);
    await prepareNode(cluster, node, progress);
  }));
}

/** Installs and holds kubeadm, kubelet and kubectl, as operators do. */
export async function installPackages(cluster: LabCluster): Promise<void> {
  const packages = ['kubeadm', 'kubelet', 'kubectl'].map((name) => `${name}=${cluster.version}-${REVISION}`).join(' ');
  const script = `export DEBIAN_FRONTEND=noninteractive\napt-get update -qq >&2\napt-get install -y -qq ${packages} >&2\napt-mark hold kubeadm kubelet kubectl\n`;
  await Promise.all(cluster.nodes.map(({ name }) => inNode(name, 'installing packages', script, 300)));
}

/** haproxy before several API servers: one that is not ready gets nothing, and loses its connections at once. */
export const haproxyConfig = (nodes: LabNode[]): string => `global
  maxconn 4000
defaults
  mode tcp
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  timeout check 2s
  retries 3
  option redispatch 1
frontend api
  bind *:6443
  default_backend api
backend api
  balance roundrobin
  option httpchk GET /readyz
  default-server check check-ssl verify none inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
${nodes.map(({ name, ip }) => `  server ${name} ${ip}:6443\n`).join('')}`;

/** Starts the load balancer, at .10 of the network. */
export async function startLoadBalancer(cluster: LabCluster, network: string): Promise<void> {
  const config = haproxyConfig(controlPlanesOf(cluster));
  await docker(`${cluster.name}: load balancer`, [
    'run', '-d', '--name', `${cluster.name}-lb`, '--hostname', `${cluster.name}-lb`, '--label', `${LABEL}=${cluster.name}`, '--network', `drydock-lab-${cluster.name}`,
    '--ip', `${network}.10`, '--restart', 'always', '-e', `CONFIG=${config}`, '--entrypoint', 'sh', baseImageName(),
    '-c', 'printf %s "$CONFIG" >/etc/haproxy/lab.cfg; exec haproxy -W -f /etc/haproxy/lab.cfg',
  ]);
}
