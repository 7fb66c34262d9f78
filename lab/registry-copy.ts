import { LabError } from './error.js';
import { writeBlob, writeTag } from './oci.js';
import { architecture } from './sources.js';

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

interface Manifest {
  manifests?: { digest: string; platform?: { os: string; architecture: string } }[];
  config?: { digest: string };
  layers?: { digest: string }[];
}

/** Copies one image of this machine's architecture from a registry into the lab's own; registry.k8s.io asks for no login. */
export async function copyOfficialImage(name: string, tag: string, registry = 'https://registry.k8s.io'): Promise<void> {
  const get = async (kind: 'manifests' | 'blobs', reference: string): Promise<Buffer> => {
    const url = `${registry}/v2/${name}/${kind}/${reference}`;
    const answer = await fetch(url, { headers: { accept: kind === 'manifests' ? ACCEPT : '*/*' }, signal: AbortSignal.timeout(600_000) });
    if (!answer.ok) throw new LabError(`${url}: ${answer.status} ${answer.statusText}`, 'Try again, or set DRYDOCK_LAB_SOURCES=built.');
    return Buffer.from(await answer.arrayBuffer());
  };
  let content = await get('manifests', tag);
  let manifest = JSON.parse(content.toString()) as Manifest;
  if (manifest.manifests) {
    const mine = manifest.manifests.find(({ platform }) => platform?.os === 'linux' && platform.architecture === architecture());
    if (!mine) throw new LabError(`${name}:${tag} is not there for linux/${architecture()}`, 'Name another version.', 2);
    content = await get('manifests', mine.digest);
    manifest = JSON.parse(content.toString()) as Manifest;
  }
  for (const { digest } of [...(manifest.layers ?? []), ...(manifest.config ? [manifest.config] : [])]) {
    const written = await writeBlob(await get('blobs', digest));
    if (written !== digest) throw new LabError(`${name}:${tag}: blob ${digest} came as ${written}`, 'Try again: the download was damaged.');
  }
  await writeTag(name, tag, await writeBlob(content));
}
