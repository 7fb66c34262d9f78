import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { blobFile, digestOf, manifestType } from './oci.js';
import { cachePath } from './paths.js';

/** What a request asks for: a package file, a manifest, a blob; or nothing that is served. */
export type Wanted =
  | { kind: 'alive' }
  | { kind: 'file'; path: string }
  | { kind: 'manifest'; name: string; reference: string }
  | { kind: 'blob'; digest: string }
  | { kind: 'nothing' };

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** Reads a request's path. Names that could leave the cache's folders are nothing. */
export function readPath(url: string): Wanted {
  const path = decode(url.split('?')[0] ?? '');
  if (path.split('/').some((part) => part !== '.' && part.startsWith('.'))) return { kind: 'nothing' };
  if (path === '/v2/' || path === '/v2' || path === '/') return { kind: 'alive' };
  const manifest = /^\/v2\/([a-z0-9/._-]+)\/manifests\/([\w.:-]+)$/.exec(path);
  if (manifest) return { kind: 'manifest', name: manifest[1] ?? '', reference: manifest[2] ?? '' };
  const blob = /^\/v2\/[a-z0-9/._-]+\/blobs\/(sha256:[0-9a-f]{64})$/.exec(path);
  if (blob) return { kind: 'blob', digest: blob[1] ?? '' };
  const file = /^\/(v\d+\.\d+\/(?:\.\/)?[\w.+~-]+)$/.exec(path);
  return file ? { kind: 'file', path: file[1] ?? '' } : { kind: 'nothing' };
}

async function sendFile(path: string, request: IncomingMessage, response: ServerResponse, headers: Record<string, string>): Promise<void> {
  const { size } = await stat(path);
  response.writeHead(200, { 'content-length': size, ...headers });
  if (request.method === 'HEAD') response.end();
  else await pipeline(createReadStream(path), response);
}

async function sendManifest(name: string, reference: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const digest = reference.startsWith('sha256:') ? reference : await digestOf(name, reference);
  if (digest === undefined) throw new Error('no such tag');
  const content = await readFile(blobFile(digest));
  response.writeHead(200, { 'content-type': manifestType(content), 'content-length': content.length, 'docker-content-digest': digest });
  response.end(request.method === 'HEAD' ? undefined : content);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const wanted = readPath(request.url ?? '/');
  if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
  switch (wanted.kind) {
    case 'alive':
      return void response.writeHead(200, { 'docker-distribution-api-version': 'registry/2.0', 'x-drydock-lab': '1' }).end('{}');
    case 'file':
      return sendFile(join(cachePath('apt'), wanted.path), request, response, { 'content-type': 'application/octet-stream' });
    case 'manifest':
      return sendManifest(wanted.name, wanted.reference, request, response);
    case 'blob':
      return sendFile(blobFile(wanted.digest), request, response, { 'content-type': 'application/octet-stream', 'docker-content-digest': wanted.digest });
    case 'nothing':
      return void response.writeHead(404).end();
  }
}

/** A read-only server of the lab's packages and images on one address. */
export function listen(address: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else response.writeHead(404).end();
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => resolve(server));
  });
}
