import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LabError } from './error.js';
import { run } from './run.js';
import { architecture } from './sources.js';
import { minorOf, REVISION } from './versions.js';

/** Fetches one file. */
export async function download(url: string, file: string): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(600_000) });
  if (!answer.ok || !answer.body) throw new LabError(`${url}: ${answer.status} ${answer.statusText}`, 'Try again, or set DRYDOCK_LAB_SOURCES=built.');
  await pipeline(Readable.fromWeb(answer.body), createWriteStream(file));
}

const repository = (version: string): string => `https://pkgs.k8s.io/core:/stable:/v${minorOf(version)}/deb/`;

/** One stanza of an apt Packages file. */
export interface PackageEntry {
  name: string;
  version: string;
  file: string;
}

/** The packages of this architecture in an apt Packages file. */
export function parsePackages(text: string, arch: string): PackageEntry[] {
  const field = (stanza: string, name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? '';
  return text
    .split(/\n\n+/)
    .filter((stanza) => field(stanza, 'Architecture') === arch)
    .map((stanza) => ({ name: field(stanza, 'Package'), version: field(stanza, 'Version'), file: field(stanza, 'Filename') }));
}

/** The official packages of one version, and the two that they depend on (their newest of that repository). */
export async function downloadDebs(version: string, folder: string): Promise<void> {
  const index = await fetch(`${repository(version)}Packages`, { signal: AbortSignal.timeout(30_000) });
  const entries = parsePackages(await index.text(), architecture());
  const wanted = ['kubeadm', 'kubelet', 'kubectl'].map((name) => entries.find((entry) => entry.name === name && entry.version === `${version}-${REVISION}`));
  const newest = ['cri-tools', 'kubernetes-cni'].map((name) => entries.findLast((entry) => entry.name === name));
  for (const entry of [...wanted, ...newest]) {
    if (!entry) throw new LabError(`${repository(version)} holds no package of ${version}-${REVISION}`, 'Name another patch, or set DRYDOCK_LAB_SOURCES=built.', 2);
    await download(repository(version) + entry.file, join(folder, basename(entry.file)));
  }
}

/** kubeadm, kubelet and kubectl as single files, for use on this machine. */
export async function downloadKubernetes(version: string, out: string): Promise<void> {
  for (const name of ['kubeadm', 'kubelet', 'kubectl']) {
    await download(`https://dl.k8s.io/release/v${version}/bin/linux/${architecture()}/${name}`, join(out, name));
    await run('chmod', ['755', join(out, name)], { what: `kubernetes ${version}`, timeoutSeconds: 5 });
  }
}

export async function downloadContainerd(version: string, out: string): Promise<void> {
  const archive = join(out, 'containerd.tar.gz');
  await mkdir(out, { recursive: true });
  await download(`https://github.com/containerd/containerd/releases/download/v${version}/containerd-${version}-linux-${architecture()}.tar.gz`, archive);
  await run('tar', ['-xzf', archive, '-C', out, '--strip-components=1', 'bin/containerd', 'bin/containerd-shim-runc-v2', 'bin/ctr'], { what: 'containerd', timeoutSeconds: 120 });
  await run('rm', [archive], { what: 'containerd', timeoutSeconds: 5 });
}
