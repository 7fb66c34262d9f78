import { copyFile, mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { artefact, exists } from './artefact.js';
import { LabError } from './error.js';
import { withLock } from './lock.js';
import { inBaseImage } from './node-image.js';
import { hasTag, writeImage, writeLayer, type Layer } from './oci.js';
import { cachePath } from './paths.js';
import { corednsPrograms, etcdPrograms, kubernetesPrograms, pauseProgram } from './programs.js';
import type { Progress } from './progress.js';
import { copyOfficialImage } from './registry-copy.js';
import { run } from './run.js';
import { sources } from './sources.js';
import { COREDNS, ETCD, nearest } from './versions.js';

/** The small image of the lab's workload: one static busybox. */
export const BUSYBOX = { name: 'drydock-lab/busybox', tag: '1' };

const COMPONENTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];

/** Splits `registry.k8s.io/coredns/coredns:v1.14.2`. */
export function parseImage(image: string): { name: string; tag: string } {
  const [, name, tag] = /^registry\.k8s\.io\/(.+):([^:]+)$/.exec(image) ?? [];
  if (name === undefined || tag === undefined) throw new LabError(`kubeadm names an image that the lab cannot read: ${image}`, 'Report this.');
  return { name, tag };
}

/** The images that kubeadm of this version wants. */
async function wantedImages(version: string, progress: Progress): Promise<{ name: string; tag: string }[]> {
  const programs = await kubernetesPrograms(version, progress);
  const list = await run(join(programs, 'kubeadm'), ['config', 'images', 'list', '--kubernetes-version', `v${version}`], { what: 'kubeadm config images list', timeoutSeconds: 30 });
  return list.split('\n').filter(Boolean).map(parseImage);
}

/** A layer of files named by their place in the image; `links` are symbolic. */
async function layerOf(files: Record<string, string>, links: Record<string, string> = {}): Promise<Layer> {
  const folder = cachePath('context', `layer-${process.pid}-${Math.random().toString(36).slice(2)}`);
  try {
    for (const [path, source] of Object.entries(files)) {
      await mkdir(join(folder, path, '..'), { recursive: true });
      await copyFile(source, join(folder, path));
    }
    for (const [path, target] of Object.entries(links)) await symlink(target, join(folder, path));
    await mkdir(join(folder, 'tmp'), { recursive: true });
    return await writeLayer(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const PROXY_SCRIPT = `
cd /out
with_libraries() { cp --parents -L "$1" . ; ldd "$1" | { grep -o '/[^ ]*' || true; } | while read -r library; do cp --parents -L "$library" . ; done; }
for program in /usr/sbin/xtables-nft-multi /usr/sbin/nft /usr/sbin/conntrack /usr/bin/dash; do with_libraries "$program"; done
# The plug-ins' own libraries too: without libm, libxt_statistic fails, and no Service with two endpoints works.
for plugin in /usr/lib/*/xtables/*.so; do with_libraries "$plugin"; done
cp --parents /etc/protocols /etc/ethertypes . 2>/dev/null || true
for name in iptables ip6tables; do for form in '' -save -restore -nft -nft-save -nft-restore; do ln -sf xtables-nft-multi "usr/sbin/$name$form"; done; done
mkdir -p tmp run
`;

/** What kube-proxy calls: iptables, nft and conntrack, with every library they want. */
const proxyTools = (progress: Progress): Promise<string> =>
  artefact('bin/kube-proxy-tools', progress, 'kube-proxy: its tools', async (out) => {
    await inBaseImage('tools of kube-proxy', PROXY_SCRIPT, { '/out': out }, progress);
  });

async function writeComponents(version: string, progress: Progress): Promise<void> {
  const programs = await kubernetesPrograms(version, progress);
  const links = Object.fromEntries(COMPONENTS.map((name) => [`usr/local/bin/${name}`, 'kube-components']));
  const shared = await layerOf({ 'usr/local/bin/kube-components': join(programs, 'kube-components') }, links);
  for (const name of COMPONENTS) {
    const layers = name === 'kube-proxy' ? [shared, await writeLayer(await proxyTools(progress))] : [shared];
    await writeImage(name, `v${version}`, layers, { entrypoint: [`/usr/local/bin/${name}`], path: '/usr/local/bin:/usr/sbin:/usr/bin' });
  }
}

async function buildImage(name: string, tag: string, progress: Progress): Promise<void> {
  if (COMPONENTS.includes(name)) return writeComponents(tag.replace(/^v/, ''), progress);
  if (name === 'etcd') {
    const version = standIn('etcd', tag.replace(/-.*$/, ''), ETCD, progress);
    const programs = await etcdPrograms(version, progress);
    const files = Object.fromEntries(['etcd', 'etcdctl', 'etcdutl'].map((file) => [`usr/local/bin/${file}`, join(programs, file)]));
    return writeImage(name, tag, [await layerOf(files)], { path: '/usr/local/bin' });
  }
  if (name === 'coredns/coredns') {
    const programs = await corednsPrograms(standIn('coredns', tag.replace(/^v/, ''), COREDNS, progress), progress);
    return writeImage(name, tag, [await layerOf({ coredns: join(programs, 'coredns') })], { entrypoint: ['/coredns'], path: '/' });
  }
  if (name === 'pause') {
    const program = join(await pauseProgram(progress), 'pause');
    return writeImage(name, tag, [await layerOf({ pause: program })], { entrypoint: ['/pause'], path: '/' });
  }
  throw new LabError(`the lab has no recipe for the image ${name}`, 'Add one to lab/images.ts.');
}

function standIn(what: string, wanted: string, known: readonly string[], progress: Progress): string {
  const version = nearest(wanted, known);
  if (version !== wanted) progress.say(`${what} ${wanted} is not to be had here: the image of that name holds ${version}`);
  return version;
}

async function buildBusybox(progress: Progress): Promise<void> {
  const folder = await artefact('bin/busybox', progress, 'image of the workload', async (out) => {
    await inBaseImage('busybox', 'mkdir -p /out/bin && cp /bin/busybox /out/bin/ && for name in $(/bin/busybox --list); do [ $name = busybox ] || ln -s busybox /out/bin/$name; done', { '/out': out }, progress);
  });
  await writeImage(BUSYBOX.name, BUSYBOX.tag, [await writeLayer(folder)], { path: '/bin' });
}

/** Every image that a cluster of this version wants, in the lab's registry. */
export async function publishImages(version: string, progress: Progress): Promise<void> {
  for (const { name, tag } of await wantedImages(version, progress)) {
    if (await hasTag(name, tag)) continue;
    await withLock(`image-${name}-${tag}`, progress, async () => {
      if (await hasTag(name, tag)) return;
      await progress.step(`image ${name}:${tag}`, async () =>
        (await sources()) === 'official' ? copyOfficialImage(name, tag) : buildImage(name, tag, progress));
    });
  }
  if (!(await hasTag(BUSYBOX.name, BUSYBOX.tag)) || !(await exists(cachePath('bin/busybox')))) await buildBusybox(progress);
}
