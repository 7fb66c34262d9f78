import { createHash, createHmac } from 'node:crypto';

/** One usable line of a known_hosts file (man sshd, SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownHostLine {
  /** From 1. */
  readonly line: number;
  readonly revoked: boolean;
  /** Comma-separated patterns, or one hashed name (`|1|salt|hash`). */
  readonly names: string;
  /** `ssh-ed25519`, `ssh-rsa`, `ecdsa-sha2-nistp256` ... */
  readonly type: string;
  /** The key as it goes over the wire. */
  readonly key: Buffer;
}

export type HostKeyVerdict =
  | { readonly verdict: 'trusted'; readonly line: number }
  | { readonly verdict: 'unknown' }
  /** `line` holds another key of this host: of the same type if there is one. */
  | { readonly verdict: 'changed'; readonly line: number; readonly knownType: string; readonly knownFingerprint: string }
  | { readonly verdict: 'revoked'; readonly line: number };

/** Comments, empty and broken lines are left out, as ssh does. */
export function parseKnownHosts(text: string): KnownHostLine[] {
  return text.split('\n').flatMap((raw, index) => parseLine(raw.trim(), index + 1) ?? []);
}

function parseLine(raw: string, line: number): KnownHostLine | undefined {
  if (raw === '' || raw.startsWith('#')) return undefined;
  const words = raw.split(/\s+/);
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
  // @cert-authority vouches for host certificates. ssh2 speaks none, so such a line can never be what a host shows us;
  // taking its key for a plain host key would let the CA's key itself pass as a host.
  if (marker !== undefined && marker !== '@revoked') return undefined;
  const [names, type, base64] = words;
  if (names === undefined || type === undefined || base64 === undefined) return undefined;
  const key = Buffer.from(base64, 'base64');
  // The type is written twice, and only the one inside the key counts. A line that contradicts itself says nothing.
  return keyType(key) === type ? { line, revoked: marker === '@revoked', names, type, key } : undefined;
}

/** The key type inside a wire-format key, or `unknown`. */
export function keyType(key: Buffer): string {
  if (key.length < 4) return 'unknown';
  const length = key.readUInt32BE(0);
  return length > 0 && length <= 64 && key.length >= 4 + length ? key.toString('latin1', 4, 4 + length) : 'unknown';
}

/** As ssh-keygen -l prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** A line to add to a known_hosts file. */
export function knownHostsLine(host: string, port: number, key: Buffer): string {
  return `${withPort(host, port)} ${keyType(key)} ${key.toString('base64')}`;
}

const withPort = (host: string, port: number): string => (port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`);

/**
 * What known_hosts says of a key shown by host:port. As in ssh: with another port than 22, lines for `[host]:port` count;
 * where there are none, a line for the plain host may vouch for the key, but a mismatch with it makes the key unknown, not
 * changed (another sshd on the same address has its own key).
 */
export function judgeHostKey(lines: readonly KnownHostLine[], host: string, port: number, key: Buffer): HostKeyVerdict {
  const own = linesFor(lines, withPort(host, port));
  const plain = port === 22 ? [] : linesFor(lines, host.toLowerCase());
  const revoked = [...own, ...plain].find((line) => line.revoked && line.key.equals(key));
  if (revoked) return { verdict: 'revoked', line: revoked.line };
  const valid = own.filter((line) => !line.revoked);
  const same = [...valid, ...(valid.length === 0 ? plain.filter((line) => !line.revoked) : [])].find((line) => line.key.equals(key));
  if (same) return { verdict: 'trusted', line: same.line };
  const type = keyType(key);
  const other = valid.find((line) => line.type === type) ?? valid[0];
  return other === undefined
    ? { verdict: 'unknown' }
    : { verdict: 'changed', line: other.line, knownType: other.type, knownFingerprint: fingerprint(other.key) };
}

/** Types of the keys that are known for host:port, in the file's order; empty when the host is unknown. */
export function knownKeyTypes(lines: readonly KnownHostLine[], host: string, port: number): string[] {
  const own = linesFor(lines, withPort(host, port)).filter((line) => !line.revoked);
  const valid = own.length > 0 || port === 22 ? own : linesFor(lines, host.toLowerCase()).filter((line) => !line.revoked);
  return [...new Set(valid.map((line) => line.type))];
}

const linesFor = (lines: readonly KnownHostLine[], name: string): KnownHostLine[] => lines.filter((line) => matchesNames(line.names, name));

function matchesNames(names: string, name: string): boolean {
  if (names.startsWith('|1|')) return matchesHash(names, name);
  let matched = false;
  for (const pattern of names.split(',')) {
    const negated = pattern.startsWith('!');
    if (!matchesPattern(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false; // a negated match excludes the host from the whole line, wherever it stands
    matched = true;
  }
  return matched;
}

/** `|1|salt|hash`, both base64: HMAC-SHA1 of the name with the salt as key. */
function matchesHash(hashed: string, name: string): boolean {
  const [, , salt, hash] = hashed.split('|');
  if (!salt || !hash) return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

/** `*` stands for any characters, `?` for exactly one; everything else for itself. */
function matchesPattern(pattern: string, name: string): boolean {
  const source = pattern.toLowerCase().replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
  return pattern !== '' && new RegExp(`^${source}$`).test(name);
}
