import type { ClusterSpec, NodeSpec } from '../domain/cluster.js';
import { type Answer, type CandidateFacts, type CertificateFacts, type HostAnswer, type HostFacts, known, type RepositoryFacts, unknown } from '../domain/facts.js';
import { repositoryOf, repositoryPattern } from './commands/apt.js';
import { hostFactsCommand } from './commands/host-facts.js';
import { StepFailure } from './failure.js';
import type { RemoteShell } from './ports/remote-shell.js';

export interface HostFactsTarget {
  readonly minor?: string;
  readonly version?: string;
}

/** Everything SSH tells about one node, by one read. An SSH failure is part of the answer. */
export async function gatherHostFacts(shell: RemoteShell, cluster: ClusterSpec, node: NodeSpec, target: HostFactsTarget): Promise<HostAnswer> {
  try {
    const template = cluster.packages.repository;
    const command = hostFactsCommand(repositoryPattern(template), target.minor ? repositoryOf(template, target.minor) : '', target.version ?? '');
    const before = Date.now();
    const result = await shell.run(cluster, node, command, { timeoutMs: 120_000 });
    const sections = readSections(result.stdout);
    if (!sections.has('candidates')) return { reached: false, kind: 'CommandFailed', why: `${node.name}: its state could not be read: ${result.stderr.trim().slice(-300)}` };
    return { reached: true, host: parseHostFacts(sections, { before, after: Date.now(), target }) };
  } catch (error) {
    if (error instanceof StepFailure) return { reached: false, kind: error.kind, why: error.message };
    throw error;
  }
}

type Sections = ReadonlyMap<string, readonly string[]>;

export function readSections(text: string): Sections {
  const sections = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split('\n')) {
    const name = /^== ([a-z0-9-]+)$/.exec(line)?.[1];
    if (name !== undefined) sections.set(name, (current = []));
    else if (line !== '') current.push(line);
  }
  return sections;
}

/** `before` and `after`: this machine's clock, milliseconds, around the read. */
export function parseHostFacts(sections: Sections, { before, after, target }: { before: number; after: number; target: HostFactsTarget }): HostFacts {
  const lines = (name: string): readonly string[] => sections.get(name) ?? [];
  const one = (name: string): string => lines(name)[0]?.trim() ?? '';
  const installed = Object.fromEntries(lines('installed').map((line) => line.split(' ')).filter(([, , status]) => status === 'installed').map(([name, version]) => [name, version]));
  const kubeadmVersion = one('kubeadm').replace(/^v/, '');
  const kubeletVersion = /v(\S+)/.exec(one('kubelet'))?.[1];
  const failCgroupV1 = one('fail-cgroup-v1');
  const lock = lines('lock').join('; ');
  return {
    bootId: one('boot-id'),
    machineId: one('machine-id'),
    os: one('os'),
    packageManager: one('package-manager') === 'apt' ? 'apt' : 'other',
    kernel: one('kernel'),
    cgroup: one('cgroup') === 'cgroup2fs' ? 'v2' : 'v1',
    ...(kubeadmVersion ? { kubeadmVersion } : {}),
    ...(kubeletVersion ? { kubeletVersion } : {}),
    packages: { ...installed, held: lines('held'), audit: lines('audit') },
    repositories: repositories(lines('repositories'), lines('keys')),
    candidates: candidates(lines('candidates'), target),
    freeBytes: Object.fromEntries(lines('free').map((line) => line.split(' ')).map(([path, bytes]) => [path, Number(bytes)])),
    etcdBytes: Number(one('etcd-bytes') || 0),
    clockOffsetMs: clockOffset(Number(one('clock')) / 1e6, Number(one('clock-end')) / 1e6, before, after),
    certificates: certificates(lines('certificates')),
    manifests: lines('manifests'),
    kubeletFlags: lines('kubelet-flags').filter((line) => !line.startsWith('#')).flatMap((line) => line.replace(/^[A-Z_]+=/, '').replace(/^["']|["']$/g, '').split(/\s+/)).filter((flag) => flag.startsWith('--')),
    ...(failCgroupV1 ? { failCgroupV1: failCgroupV1 === 'true' } : {}),
    ...(lock ? { packageLockHolder: lock } : {}),
    rebootRequired: one('reboot-required') === 'yes',
  };
}

/**
 * The node read its clock first not before `before` and last not after `after`: between these two bounds lies how far it is ahead. The value nearest to zero
 * is taken, so that a slow connection is never mistaken for a wrong clock.
 */
function clockOffset(first: number, last: number, before: number, after: number): number {
  return Math.round(Math.min(Math.max(0, last - after), first - before));
}

/** `FILE:LINE` of grep, and `KEYFILE EPOCH` of gpg. */
function repositories(lines: readonly string[], keys: readonly string[]): RepositoryFacts[] {
  return lines.map((entry) => {
    const colon = entry.indexOf(':');
    const line = entry.slice(colon + 1).trim();
    const minor = /\/v?(\d+\.\d+)(?:\/|\s|$)/.exec(line)?.[1];
    const keyFile = /signed-by=([^\] ]+)/i.exec(line)?.[1];
    const ends = keys.map((key) => key.split(' ')).filter(([file]) => keyFile === undefined || file === keyFile).map(([, end]) => end ?? '');
    const latest = ends.includes('never') ? undefined : Math.max(0, ...ends.map(Number).filter(Number.isFinite));
    return { file: entry.slice(0, colon), line, ...(minor ? { minor } : {}), ...(latest ? { keyExpires: new Date(latest * 1000).toISOString() } : {}) };
  });
}

function candidates(lines: readonly string[], target: HostFactsTarget): Answer<CandidateFacts> {
  if (!target.minor) return unknown('no target was given');
  const error = lines.find((line) => line.startsWith('error '));
  if (error) return unknown(error.slice('error '.length));
  const of = (name: string): string[] => lines.map((line) => line.split(' ')).filter(([found]) => found === name).map(([, version]) => version ?? '');
  return known({ version: target.version ?? target.minor, kubeadm: of('kubeadm'), kubelet: of('kubelet'), kubectl: of('kubectl') });
}

interface Expiration {
  certificates?: { name: string; expirationDate: string; missing?: boolean }[];
  certificateAuthorities?: { name: string; expirationDate: string; missing?: boolean }[];
}

function certificates(lines: readonly string[]): Answer<readonly CertificateFacts[]> {
  const text = lines.join('\n');
  if (text.trim() === 'none') return known([]);
  try {
    // kubeadm before 1.30 prints words around the JSON.
    const parsed = JSON.parse(text.slice(text.indexOf('{'))) as Expiration;
    const of = (list: Expiration['certificates'], authority: boolean): CertificateFacts[] => (list ?? []).filter((entry) => !entry.missing).map(({ name, expirationDate }) => ({ name, expires: expirationDate, authority }));
    return known([...of(parsed.certificates, false), ...of(parsed.certificateAuthorities, true)]);
  } catch {
    return unknown('kubeadm certs check-expiration gave no JSON');
  }
}
