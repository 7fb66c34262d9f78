import type { LabCluster } from './cluster.js';
import { docker, LABEL, tryDocker } from './docker.js';
import { baseImageName } from './node-image.js';

/** How often something was tried, and how often in vain. */
export interface ProbeCount {
  probes: number;
  failed: number;
}

/** What the probers saw: by target over all nodes, and by node (and `outside`) and target. */
export interface ProbeReport {
  since: number;
  targets: Record<string, ProbeCount>;
  nodes: Record<string, Record<string, ProbeCount>>;
}

const TARGETS = ['web-a', 'web-b', 'dns', 'api'];
const none = (): ProbeCount => ({ probes: 0, failed: 0 });

/** Counts a prober's lines: `EPOCH DONE web-a=10 dns=2` and `EPOCH FAIL web-a`, from `since` on. */
export function countProbes(log: string, since: number): Record<string, ProbeCount> {
  const counts: Record<string, ProbeCount> = {};
  for (const line of log.split('\n')) {
    const [epoch, kind, ...rest] = line.split(' ');
    if (Number(epoch) < since) continue;
    if (kind === 'FAIL') (counts[rest[0] ?? ''] ??= none()).failed++;
    if (kind !== 'DONE') continue;
    for (const [target, number] of rest.map((part) => part.split('='))) (counts[target ?? ''] ??= none()).probes += Number(number);
  }
  return counts;
}

/** The same counts over several probers. */
export function addCounts(all: Record<string, ProbeCount>[]): Record<string, ProbeCount> {
  const sum: Record<string, ProbeCount> = Object.fromEntries(TARGETS.map((target) => [target, none()]));
  for (const [target, { probes, failed }] of all.flatMap((counts) => Object.entries(counts))) {
    const total = (sum[target] ??= none());
    total.probes += probes;
    total.failed += failed;
  }
  return sum;
}

const outside = (cluster: LabCluster): string => `${cluster.name}-probe`;

/** Asks the API server's address twice a second, from a container that is no part of the cluster. */
const API_PROBER = `
trap 'exit 0' TERM
while :; do
  for round in 1 2 3 4 5 6 7 8 9 10; do
    curl -fsk -o /dev/null --max-time 1 "https://$ENDPOINT/readyz" || echo "$(date +%s) FAIL api" >>/probes
    sleep 0.5
  done
  echo "$(date +%s) DONE api=10" >>/probes
done
`;

/** Starts the prober from outside, unless it runs. */
export async function startApiProber(cluster: LabCluster): Promise<void> {
  if ((await tryDocker(['inspect', outside(cluster)])).exitCode === 0) return;
  await docker('starting the API prober', [
    'run', '-d', '--init', '--name', outside(cluster), '--label', `${LABEL}=${cluster.name}`, '--network', `drydock-lab-${cluster.name}`, '--restart', 'always',
    '-e', `ENDPOINT=${cluster.endpoint}`, '--entrypoint', 'bash', baseImageName(), '-c', API_PROBER,
  ]);
}

/** What the probers saw since an epoch (seconds). A node that cannot be read counts as not probed. */
export async function labProbe(cluster: LabCluster, since = 0): Promise<ProbeReport> {
  const read = async (container: string, file: string): Promise<Record<string, ProbeCount>> =>
    countProbes((await tryDocker(['exec', container, 'cat', file])).stdout, since);
  const named = await Promise.all([
    ...cluster.nodes.map(async ({ name }) => [name, await read(name, '/var/log/prober/probes')] as const),
    read(outside(cluster), '/probes').then((counts) => ['outside', counts] as const),
  ]);
  return { since, targets: addCounts(named.map(([, counts]) => counts)), nodes: Object.fromEntries(named) };
}
