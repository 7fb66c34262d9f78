import { relative } from 'node:path';
import type { LabCluster } from './cluster.js';
import type { ProbeReport } from './probe.js';

const here = (path: string): string => {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
};

/** A cluster for people. */
export function clusterText(cluster: LabCluster): string {
  const nodes = cluster.nodes.map(({ name, ip, role }) => `  ${name.padEnd(20)} ${ip.padEnd(14)} ${role}`);
  return [`${cluster.name}: made with ${cluster.version}, API ${cluster.endpoint}`, ...nodes, `  config ${here(cluster.config)}`, `  kubeconfig ${here(cluster.kubeconfig)}`].join('\n');
}

/** What the probers saw, as a table: a row a target, and a row a prober that saw a failure. */
export function probeText(report: ProbeReport): string {
  const row = (...cells: (string | number)[]): string => cells.map((cell, index) => (index === 0 ? String(cell).padEnd(24) : String(cell).padStart(10))).join('');
  const totals = Object.entries(report.targets).map(([target, { probes, failed }]) => row(target, probes, failed));
  const failures = Object.entries(report.nodes).flatMap(([node, counts]) =>
    Object.entries(counts).filter(([, { failed }]) => failed > 0).map(([target, { probes, failed }]) => row(`  ${node} ${target}`, probes, failed)));
  return [row('target', 'probes', 'failed'), ...totals, ...failures].join('\n');
}
