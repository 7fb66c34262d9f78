/** What the schema cannot say: fields that must agree with each other. Works on unchecked values, so that all problems come at once. */
import type { Problem } from './problem.js';
import { pathText, shown } from './problem.js';
import type { Source } from './source.js';

type Section = Readonly<Record<string, unknown>>;

const isSection = (value: unknown): value is Section => typeof value === 'object' && value !== null && !Array.isArray(value);
const section = (value: unknown, key: string): Section => {
  const inner = isSection(value) ? value[key] : undefined;
  return isSection(inner) ? inner : {};
};
const nodesOf = (value: unknown): readonly Section[] => {
  const nodes = isSection(value) ? value['nodes'] : undefined;
  return Array.isArray(nodes) ? nodes.map((node: unknown) => (isSection(node) ? node : {})) : [];
};

type Check = (source: Source) => readonly Problem[];

const problem = (source: Source, path: readonly (string | number)[], found: string, wanted: string): Problem => ({ file: source.file, ...source.at(path), path: pathText(path), found, wanted });

const uniqueNames: Check = (source) => repeated(nodesOf(source.value), (node) => node['name']).map(({ index, first, value }) =>
  problem(source, ['nodes', index, 'name'], `${shown(value)} a second time`, `a name of its own (nodes[${first}] has this one)`));

/** Two names for one machine would let it be taken out twice. */
const uniqueHosts: Check = (source) => {
  const defaultPort = section(source.value, 'ssh')['port'] ?? 22;
  const place = (node: Section): unknown => {
    const { host, port = defaultPort } = node;
    return typeof host === 'string' && typeof port === 'number' ? `${host} port ${port}` : undefined;
  };
  return repeated(nodesOf(source.value), place).map(({ index, first, value }) => problem(source, ['nodes', index, 'host'], `${String(value)} a second time`, `a machine of its own (nodes[${first}] has this one)`));
};

const someControlPlane: Check = (source) => {
  const nodes = nodesOf(source.value);
  const without = nodes.length > 0 && nodes.every((node) => node['role'] === 'worker');
  return without ? [problem(source, ['nodes'], 'only workers', 'at least one node with role control-plane')] : [];
};

const knownInOrder: Check = (source) => {
  const names = nodesOf(source.value).flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
  const order = section(source.value, 'upgrade')['order'];
  if (!Array.isArray(order)) return [];
  return order.flatMap((name: unknown, index) => {
    const path = ['upgrade', 'order', index];
    if (!names.some((n) => n === name)) return [problem(source, path, shown(name), `the name of a node (${[...new Set(names)].join(', ')})`)];
    return order.indexOf(name) < index ? [problem(source, path, `${shown(name)} a second time`, 'each node once')] : [];
  });
};

const certificateWithKey: Check = (source) => {
  const tls = section(section(source.value, 'temporal'), 'tls');
  const half = [['cert', 'key'], ['key', 'cert']].find(([has, lacks]) => tls[has ?? ''] !== undefined && tls[lacks ?? ''] === undefined);
  return half ? [problem(source, ['temporal', 'tls', half[0] ?? ''], `${half[0]} without ${half[1]}`, 'both or neither')] : [];
};

const CHECKS: readonly Check[] = [uniqueNames, uniqueHosts, someControlPlane, knownInOrder, certificateWithKey];

export const consistencyProblems: Check = (source) => CHECKS.flatMap((check) => check(source));

function repeated(nodes: readonly Section[], key: (node: Section) => unknown): readonly { index: number; first: number; value: unknown }[] {
  const keys = nodes.map(key);
  return keys.flatMap((value, index) => {
    const first = keys.indexOf(value);
    return value !== undefined && first < index ? [{ index, first, value }] : [];
  });
}
