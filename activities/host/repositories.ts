import type { RepositoryFacts } from '../../domain/facts.js';
import { linesOf } from './sections.js';

/**
 * Those of apt's lines that name a Kubernetes repository: the configured one, or one by the names that all of them have.
 * `lines`: FILE, tab, text; `keys`: KEYRING, tab, gpg's `pub:` line.
 */
export function repositoriesOf(lines: string | undefined, keys: string | undefined, pattern: string | undefined): RepositoryFacts[] {
  const ends = keyEnds(keys);
  return linesOf(lines).flatMap((row) => {
    const [file = '', line = ''] = row.split('\t');
    if (!isKubernetes(file, line, pattern)) return [];
    const minor = /\bv?(1\.\d+)(?=[/\s]|$)/.exec(addressOf(line))?.[1];
    const ring = /signed-by[=:]\s*(\/[^\],\s]+)/i.exec(line)?.[1];
    const keyExpires = ring === undefined ? undefined : ends.get(ring);
    return [{ file, line: line.trim(), ...(minor === undefined ? {} : { minor }), ...(keyExpires === undefined ? {} : { keyExpires }) }];
  });
}

const addressOf = (line: string): string => /\b(?:https?|file|ftp|mirror|copy|s3|tor\+https?):\S+/.exec(line)?.[0] ?? '';

function isKubernetes(file: string, line: string, pattern: string | undefined): boolean {
  if (pattern !== undefined && new RegExp(pattern).test(line)) return true;
  return /kubernetes|k8s/i.test(addressOf(line)) || /(kubernetes|k8s)[^/]*\.(list|sources)$/i.test(file);
}

/** The latest end of the keys in each ring; a ring with a key that never ends has none. */
function keyEnds(keys: string | undefined): Map<string, string> {
  const newest = new Map<string, number>();
  for (const row of linesOf(keys)) {
    const [ring = '', pub = ''] = row.split('\t');
    // Field 7 of gpg's colon form: end in epoch seconds, empty for never (doc/DETAILS of GnuPG).
    const field = pub.split(':')[6] ?? '';
    newest.set(ring, Math.max(newest.get(ring) ?? 0, field === '' ? Infinity : Number(field)));
  }
  return new Map([...newest].filter(([, end]) => Number.isFinite(end)).map(([ring, end]) => [ring, new Date(end * 1000).toISOString()]));
}
