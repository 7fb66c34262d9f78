import type { HostFacts, PackageFacts } from '../../domain/facts.js';
import { candidatesOf } from './candidates.js';
import { certificatesOf } from './certificates.js';
import { repositoriesOf } from './repositories.js';
import { linesOf, sectionsOf } from './sections.js';

export interface ParseContext {
  /** How apt's files spell the configured repository, absent when the configuration does not say. */
  readonly pattern?: string;
  /** packages.repository, for messages. */
  readonly repository: string;
  /** Version asked about, a minor when no patch was. */
  readonly version?: string;
  readonly clockOffsetMs: number;
}

/** Reads the script's answer; undefined when it is not whole. */
export function parseHostFacts(output: string, context: ParseContext): HostFacts | undefined {
  const sections = sectionsOf(output);
  if (!sections) return undefined;
  const text = (name: string) => sections.get(name) ?? '';
  const lines = (name: string) => linesOf(sections.get(name));
  const repositories = repositoriesOf(text('repositories'), text('keys'), context.pattern);
  return {
    bootId: text('boot-id'),
    machineId: text('machine-id'),
    os: text('os'),
    packageManager: text('apt') === 'yes' ? 'apt' : 'other',
    kernel: text('kernel'),
    cgroup: text('cgroup') === 'cgroup2fs' ? 'v2' : 'v1',
    ...version('kubeadmVersion', text('kubeadm')),
    ...version('kubeletVersion', text('kubelet')),
    packages: packagesOf(lines('packages'), lines('held'), lines('audit')),
    repositories,
    candidates: candidatesOf(text('candidates'), context.version, context.repository, repositories),
    freeBytes: freeBytesOf(lines('free')),
    etcdBytes: Number(text('etcd-bytes')) || 0,
    clockOffsetMs: context.clockOffsetMs,
    certificates: certificatesOf(text('certificates-json'), text('certificates-files')),
    manifests: lines('manifests'),
    kubeletFlags: kubeletFlagsOf(lines('kubelet-flags')),
    ...failCgroupV1Of(text('kubelet-config')),
    ...(text('lock') === '' ? {} : { packageLockHolder: lines('lock').join('; ') }),
    rebootRequired: text('reboot-required') === 'yes' || newerKernel(text('kernel'), lines('kernels')),
  };
}

/** `v1.36.3` of kubeadm, `Kubernetes v1.36.3` of the kubelet. */
function version<K extends string>(key: K, text: string): Partial<Record<K, string>> {
  const match = /v(\d+\.\d+\.\d+\S*)/.exec(text);
  return (match ? { [key]: match[1] } : {}) as Partial<Record<K, string>>;
}

/** `kubeadm installed 1.36.3-1.1`. A package that is half there counts with its version: the audit tells of its state. */
function packagesOf(rows: readonly string[], held: readonly string[], audit: readonly string[]): PackageFacts {
  const installed = rows.map((row) => row.split(' ')).filter(([, status, number]) => number && status !== 'not-installed' && status !== 'config-files');
  return { ...Object.fromEntries(installed.map(([name = '', , number]): [string, string | undefined] => [name, number])), held, audit };
}

const freeBytesOf = (rows: readonly string[]): Record<string, number> =>
  Object.fromEntries(rows.map((row) => row.split(' ')).filter(([, kib]) => /^\d+$/.test(kib ?? '')).map(([path = '', kib]): [string, number] => [path, Number(kib) * 1024]));

/** `KUBELET_KUBEADM_ARGS="--a=b --c"`, with or without quotes. */
const kubeletFlagsOf = (rows: readonly string[]): string[] =>
  rows.filter((row) => !row.startsWith('#')).flatMap((row) => (row.split(/=(.*)/s)[1] ?? '').replace(/["']/g, '').split(/\s+/)).filter((word) => word.startsWith('-'));

const failCgroupV1Of = (text: string): { failCgroupV1?: boolean } => (text === '' ? {} : { failCgroupV1: /:\s*true\b/.test(text) });

/** A newer kernel of the running one's flavour (`-amd64`, `-generic`) lies in /boot. Plain Debian writes no reboot-required file. */
function newerKernel(running: string, files: readonly string[]): boolean {
  const installed = files.map((file) => file.replace('vmlinuz-', '')).filter((name) => flavour(name) === flavour(running));
  return installed.includes(running) && installed.some((name) => name.localeCompare(running, 'en', { numeric: true }) > 0);
}

const flavour = (kernel: string): string => /-([a-z][a-z0-9-]*)$/.exec(kernel)?.[1] ?? '';
