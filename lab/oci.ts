import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { exists } from './artefact.js';
import { LabError } from './error.js';
import { cachePath } from './paths.js';
import { architecture } from './sources.js';

/** Images are kept as files, in the shape that a registry serves them: blobs by digest, and a digest for each tag. */
const blobPath = (digest: string): string => cachePath('registry', 'blobs', digest.replace(':', '/'));
const tagPath = (name: string, tag: string): string => cachePath('registry', 'tags', name, tag);

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}
/** A layer, compressed, and the digest that it has uncompressed. */
export interface Layer extends Descriptor {
  diffId: string;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** Writes a blob under its digest; whole or not at all, for several may write the same one. */
export async function writeBlob(content: Buffer): Promise<string> {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const path = blobPath(digest);
  if (await exists(path)) return digest;
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, content);
  await rename(temporary, path);
  return digest;
}

/** Gives an image its name, once all of its blobs are there. */
export async function writeTag(name: string, tag: string, digest: string): Promise<void> {
  const path = tagPath(name, tag);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, digest);
  await rename(`${path}.new`, path);
}

export const hasTag = (name: string, tag: string): Promise<boolean> => exists(tagPath(name, tag));

/** The digest of a tag, or undefined. */
export const digestOf = (name: string, tag: string): Promise<string | undefined> => readFile(tagPath(name, tag), 'utf8').catch(() => undefined);

/** A folder as a layer. The same files give the same bytes, so images that share files share the layer. */
export async function writeLayer(folder: string): Promise<Layer> {
  const temporary = cachePath('registry', 'blobs', `layer-${randomUUID()}`);
  await mkdir(dirname(temporary), { recursive: true });
  const options = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  const tar = spawn('tar', ['-C', folder, ...options, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve, reject) => tar.once('close', resolve).once('error', reject));
  const [plain, packed] = [createHash('sha256'), createHash('sha256')];
  const count = (hash: ReturnType<typeof createHash>): PassThrough => new PassThrough().on('data', (chunk: Buffer) => hash.update(chunk));
  await pipeline(tar.stdout, count(plain), createGzip({ level: 1 }), count(packed), createWriteStream(temporary));
  if ((await ended) !== 0) throw new LabError(`tar of ${folder} failed`, 'Is the disk full?');
  const digest = `sha256:${packed.digest('hex')}`;
  const { size } = await stat(temporary);
  await mkdir(dirname(blobPath(digest)), { recursive: true });
  await rename(temporary, blobPath(digest));
  return { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size, diffId: `sha256:${plain.digest('hex')}` };
}

/** What a container of the image runs. */
export interface ImageConfig {
  entrypoint?: string[];
  path: string;
}

/** Writes an image of these layers under a name. */
export async function writeImage(name: string, tag: string, layers: Layer[], { entrypoint, path }: ImageConfig): Promise<void> {
  const config = Buffer.from(JSON.stringify({
    architecture: architecture(),
    os: 'linux',
    config: { Env: [`PATH=${path}`], ...(entrypoint ? { Entrypoint: entrypoint } : {}) },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
  }));
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: await writeBlob(config), size: config.length },
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  };
  await writeTag(name, tag, await writeBlob(Buffer.from(JSON.stringify(manifest))));
}

/** The media type of a manifest blob, which the registry must send with it. */
export function manifestType(content: Buffer): string {
  const { mediaType } = JSON.parse(content.toString()) as { mediaType?: string };
  return mediaType ?? MANIFEST;
}

/** The path of a blob for the server. */
export const blobFile = (digest: string): string => join(blobPath(digest));
