import { copyFile, link, mkdir, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { artefact, exists } from './artefact.js';
import { withLock } from './lock.js';
import { inBaseImage } from './node-image.js';
import { downloadDebs } from './official.js';
import { DEB_SCRIPT, INDEX_SCRIPT, KEY_SCRIPT } from './package-scripts.js';
import { cachePath } from './paths.js';
import { kubernetesPrograms } from './programs.js';
import type { Progress } from './progress.js';
import { architecture, sources } from './sources.js';
import { minorOf, REVISION } from './versions.js';

/** The folder of the key that signs the repositories: secret.asc, and kubernetes.gpg for the nodes. Valid for 10 years. */
export const signingKey = (progress: Progress): Promise<string> =>
  artefact('keys/packages', progress, 'key for the package repositories', async (out) => {
    await inBaseImage('generating the repository key', KEY_SCRIPT, { '/keys': out }, progress);
  });

async function buildDebs(version: string, out: string, progress: Progress): Promise<void> {
  const programs = await kubernetesPrograms(version, progress);
  const script = `version=${version} revision=${REVISION} arch=${architecture()}\n${DEB_SCRIPT}`;
  await inBaseImage(`packages of ${version}`, script, { '/programs': programs, '/out': out }, progress);
}

/** kubeadm, kubelet and kubectl of one version as .deb files. */
const debs = (version: string, progress: Progress): Promise<string> =>
  artefact(`debs/${version}`, progress, `kubernetes ${version}: packages`, async (out) =>
    (await sources()) === 'official' ? downloadDebs(version, out) : buildDebs(version, out, progress));

/** The .deb files of every cached patch of a minor, as path by file name. */
async function debsOfMinor(minor: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const version of await readdir(cachePath('debs'))) {
    if (minorOf(version) !== minor || !/^\d+\.\d+\.\d+$/.test(version)) continue;
    for (const file of await readdir(cachePath('debs', version))) files.set(file, cachePath('debs', version, file));
  }
  return files;
}

/**
 * Adds a version to its minor's one flat, signed apt repository. The repository is a symbolic link to a folder
 * that is never changed, so a node that reads while a version is added sees the old or the new one.
 */
export async function publishPackages(version: string, progress: Progress): Promise<void> {
  const minor = minorOf(version);
  await debs(version, progress);
  const keys = await signingKey(progress);
  await withLock(`apt-v${minor}`, progress, async () => {
    const files = await debsOfMinor(minor);
    const served = cachePath('apt', `v${minor}`);
    const present = await readdir(served).catch((): string[] => []);
    if ([...files.keys()].every((file) => present.includes(file)) && present.includes('InRelease')) return;
    const name = `.v${minor}-${Date.now()}`;
    const folder = cachePath('apt', name);
    await mkdir(folder, { recursive: true });
    for (const [file, path] of files) await link(path, join(folder, file)).catch(() => copyFile(path, join(folder, file)));
    await inBaseImage(`index of the ${minor} packages`, INDEX_SCRIPT, { '/repository': folder, '/keys': keys }, progress);
    await switchLink(served, name);
  });
}

/** Points the link `path` at `target` in one step, and removes the folder it pointed at before. */
async function switchLink(path: string, target: string): Promise<void> {
  const before = await readlink(path).catch(() => undefined);
  await rm(`${path}.new`, { force: true });
  await symlink(target, `${path}.new`);
  await rename(`${path}.new`, path);
  if (before !== undefined && (await exists(cachePath('apt', before)))) await rm(cachePath('apt', before), { recursive: true });
}

/** The public key as nodes keep it in /etc/apt/keyrings. */
export const publicKey = async (progress: Progress): Promise<Buffer> => readFile(join(await signingKey(progress), 'kubernetes.gpg'));
