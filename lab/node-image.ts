import { createHash } from 'node:crypto';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { artefact } from './artefact.js';
import { docker, hasImage } from './docker.js';
import { installMissing } from './host.js';
import { withLock } from './lock.js';
import { CONTAINERD_TOML, ENTRYPOINT, NODE_PACKAGES, nodeDockerfile, ROUTES_UNIT, SSH_KEYS_CONF } from './node-files.js';
import { cachePath } from './paths.js';
import { containerdPrograms } from './programs.js';
import type { Progress } from './progress.js';
import { run } from './run.js';
import { sources } from './sources.js';
import { CONTAINERD, DEBIAN } from './versions.js';

/** Without one, debootstrap takes its own. */
const mirror = (): string[] => (process.env['DRYDOCK_LAB_DEBIAN'] ? [process.env['DRYDOCK_LAB_DEBIAN']] : []);

/** A name that changes with the content, so that no stale image is ever taken for this one. */
const tag = (name: string, ...content: string[]): string =>
  `drydock-lab-${name}:${createHash('sha256').update(content.join('\0')).digest('hex').slice(0, 12)}`;

export const baseImageName = (): string => tag('base', DEBIAN, ...NODE_PACKAGES);
const nodeDockerfileText = (): string => nodeDockerfile(baseImageName());
export const nodeImageName = (): string => tag('node', nodeDockerfileText(), CONTAINERD, CONTAINERD_TOML, ENTRYPOINT, ROUTES_UNIT, SSH_KEYS_CONF);

/** Runs `docker build` on a folder with these files. */
async function buildImage(image: string, files: Record<string, string>, copies: string[]): Promise<void> {
  const folder = cachePath('context', image.replaceAll(/[:/]/g, '-'));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  for (const path of copies) await copyFile(path, join(folder, path.split('/').at(-1) ?? ''));
  await docker(`building ${image}`, ['build', '-q', '--network', 'host', '-t', image, folder], 900);
  await rm(folder, { recursive: true, force: true });
}

/** Debian with the node's packages, from a mirror by debootstrap: for machines that reach no image registry. */
async function importDebootstrap(image: string, progress: Progress): Promise<void> {
  const name = `rootfs/${image.split(':')[1] ?? ''}`;
  const folder = await artefact(name, progress, `debian ${DEBIAN}: root filesystem (1 to 2 min the first time)`, async (out) => {
    await installMissing({ debootstrap: 'debootstrap' }, progress);
    const tree = `${out}.tree`;
    await rm(tree, { recursive: true, force: true });
    await run('debootstrap', ['--variant=minbase', `--include=${NODE_PACKAGES.join(',')}`, DEBIAN, tree, ...mirror()], {
      what: 'debootstrap', timeoutSeconds: 1200, next: 'It needs root and a Debian mirror (DRYDOCK_LAB_DEBIAN names another one).',
    });
    await run('tar', ['-C', tree, '--numeric-owner', '--exclude=./var/cache/apt/archives/*.deb', '-cf', join(out, 'rootfs.tar'), '.'], { what: 'tar of the root filesystem', timeoutSeconds: 300 });
    await rm(tree, { recursive: true, force: true });
  });
  await docker(`importing ${image}`, ['import', join(folder, 'rootfs.tar'), image], 300);
}

/** The image with Debian and all packages; also where the lab makes packages and signs them. */
export async function baseImage(progress: Progress): Promise<string> {
  const image = baseImageName();
  if (await hasImage(image)) return image;
  return withLock('base-image', progress, async () => {
    if (await hasImage(image)) return image;
    if ((await sources()) === 'built') await importDebootstrap(image, progress);
    else {
      const install = `FROM debian:${DEBIAN}-slim\nRUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${NODE_PACKAGES.join(' ')} && apt-get clean\n`;
      await progress.step(`debian ${DEBIAN}: image with the node's packages`, () => buildImage(image, { Dockerfile: install }, []));
    }
    return image;
  });
}

/** The image that nodes boot from. */
export async function nodeImage(progress: Progress): Promise<string> {
  const image = nodeImageName();
  const programs = await containerdPrograms(progress);
  await baseImage(progress);
  if (await hasImage(image)) return image;
  return withLock('node-image', progress, async () => {
    if (await hasImage(image)) return image;
    const files = { Dockerfile: nodeDockerfileText(), 'config.toml': CONTAINERD_TOML, 'entrypoint.sh': ENTRYPOINT, 'lab-routes.service': ROUTES_UNIT, 'keys.conf': SSH_KEYS_CONF };
    const copies = ['containerd', 'ctr', 'containerd-shim-runc-v2'].map((name) => join(programs, name));
    await progress.step('node image', () => buildImage(image, files, copies));
    return image;
  });
}

/** Runs a script in a throw-away container of the base image, as this user, with folders of the machine mounted. */
export async function inBaseImage(what: string, script: string, mounts: Record<string, string>, progress: Progress): Promise<string> {
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const volumes = Object.entries(mounts).flatMap(([inside, outside]) => ['-v', `${outside}:${inside}`]);
  const args = ['run', '--rm', '-i', '--network', 'none', '--user', user, '-e', 'HOME=/tmp', ...volumes, await baseImage(progress), 'bash', '-euo', 'pipefail', '-s'];
  return docker(what, args, 600, script);
}
