import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { ClusterSpec, NodeSpec, Role } from '../../domain/cluster.js';
import { aCluster, anSsh } from './cluster.js';

interface LabFile {
  cluster: string;
  kubeconfig: string;
  ssh: { user: string; port: number; identity: string; knownHosts: string };
  nodes: { name: string; host: string; role: Role }[];
  packages: { repository: string };
}

/** The lab cluster that DRYDOCK_TEST_CLUSTER_CONFIG names, or undefined. */
export function labCluster(): ClusterSpec | undefined {
  const file = process.env['DRYDOCK_TEST_CLUSTER_CONFIG'];
  if (!file) return undefined;
  const lab = parse(readFileSync(file, 'utf8')) as LabFile;
  const path = (name: string) => resolve(dirname(file), name);
  const nodes: NodeSpec[] = lab.nodes.map((node) => ({ ...node, labels: {} }));
  return aCluster({
    cluster: lab.cluster, kubeconfig: path(lab.kubeconfig), nodes,
    ssh: anSsh({ ...lab.ssh, identity: path(lab.ssh.identity), knownHosts: path(lab.ssh.knownHosts) }),
    packages: lab.packages,
  });
}

/** Skips the suite, and says so, without a lab cluster. */
export function needsLab(): ClusterSpec {
  const cluster = labCluster();
  before(function () {
    if (cluster) return;
    process.stderr.write('    skipped: DRYDOCK_TEST_CLUSTER_CONFIG names no lab cluster\n');
    this.skip();
  });
  return cluster ?? aCluster();
}
