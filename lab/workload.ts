import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { LabCluster } from './cluster.js';
import { inNode } from './docker.js';
import { kubectl } from './kubeadm.js';
import { startApiProber } from './probe.js';
import { createProgress, type OnProgress } from './progress.js';
import { NAMESPACE, workloadManifests } from './workload-manifests.js';

const AVAILABLE = ['deploy/web-a', 'deploy/web-b', 'deploy/web-c', 'deploy/scratch', 'sts/db', 'ds/prober'];

/** Puts the workload on a cluster and returns when all of it is available. Safe to repeat. */
export async function labWorkload(cluster: LabCluster, options: { barePod?: boolean; onProgress?: OnProgress } = {}): Promise<void> {
  const progress = createProgress(options.onProgress);
  const manifests = workloadManifests(cluster, options.barePod).map((manifest) => stringify(manifest)).join('---\n');
  await progress.step('workload: applying', async () => {
    await writeFile(join(cluster.dir, 'workload.yaml'), manifests);
    await Promise.all(cluster.nodes.map(({ name }) => inNode(name, 'folder for volumes', 'mkdir -p /var/lib/lab-volumes/db')));
    await kubectl(cluster, ['apply', '-f', '-'], { input: manifests });
  });
  await progress.step('workload: waiting until it is available', async () => {
    for (const name of AVAILABLE) await kubectl(cluster, ['-n', NAMESPACE, 'rollout', 'status', name, '--timeout=180s'], { timeoutSeconds: 190 });
    if (options.barePod !== false) await kubectl(cluster, ['-n', NAMESPACE, 'wait', '--for=condition=Ready', 'pod/bare', '--timeout=60s'], { timeoutSeconds: 70 });
  });
  await progress.step('prober of the API server, from outside the cluster', () => startApiProber(cluster));
}
