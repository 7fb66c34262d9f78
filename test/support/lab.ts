import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { ClusterSpec, NodeSpec, Role } from '../../domain/cluster.js';
import { aCluster, anSsh } from './cluster.js';
import { useCluster } from './lab-run.js';

interface LabFile {
  cluster: string;
  kubeconfig: string;
  ssh: { user: string; port: number; identity: string; knownHosts: string };
  nodes: { name: string; host: string; role: Role }[];
  packages: { repository: string };
}

function read(file: string): ClusterSpec {
  const lab = parse(readFileSync(file, 'utf8')) as LabFile;
  const path = (name: string) => resolve(dirname(file), name);
  const nodes: NodeSpec[] = lab.nodes.map((node) => ({ ...node, labels: {} }));
  return aCluster({
    cluster: lab.cluster, kubeconfig: path(lab.kubeconfig), nodes,
    ssh: anSsh({ ...lab.ssh, identity: path(lab.ssh.identity), knownHosts: path(lab.ssh.knownHosts) }),
    packages: lab.packages,
  });
}

/** A real cluster for this suite: the one whose drydock.yaml DRYDOCK_TEST_CLUSTER_CONFIG names, else the one that the other suites leave. */
export function needsLab(): () => ClusterSpec {
  const given = process.env['DRYDOCK_TEST_CLUSTER_CONFIG'];
  const made = given ? undefined : useCluster('a', { version: '1.36.3', with: ['1.37.2'] });
  return () => read(given ?? made!().config);
}
