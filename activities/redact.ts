/** Nothing secret leaves a node through output: what commands print is redacted, then cut, before it goes anywhere. */

export const REDACTED = '[redacted]';

// Order matters: whole blocks first, then fields that name their secret, then bare shapes. Repetitions are bounded where a
// pattern can begin at many places: output may be one very long line, and this runs in the worker's only thread.
const RULES: readonly (readonly [RegExp, string])[] = [
  // PEM private keys, also when the beginning or the end was cut away.
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$(?![\s\S]))/g, REDACTED],
  [/(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/=]{16,80}\r?\n){1,60}(?:[A-Za-z0-9+/=]{1,80}\r?\n)?-----END [A-Z0-9 ]*PRIVATE KEY-----/g, REDACTED],
  // age identities, as backups use them.
  [/\bAGE-SECRET-KEY-1[0-9A-Z]+/gi, REDACTED],
  // https://user:password@host
  [/(\b[a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/"']{0,256}:[^\s/"']{0,1024}@/gi, `$1${REDACTED}@`],
  [/(\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi, `$1${REDACTED}`],
  // kubeadm init: `--certificate-key HEX`, `certificateKey: HEX`, "Using certificate key:" and HEX on the next line.
  [/(certificate[-_ ]?key["']?[\s:=]+["']?)[0-9a-f]{64}\b/gi, `$1${REDACTED}`],
  [/(\b(?:client-key-data|(?:[a-z]{1,30}[-_])?token|(?:client|aws)?[-_]?secret(?:[-_]access)?(?:[-_]key)?|api[-_]?key)["']?\s*[:=]\s*["']?)[A-Za-z0-9+/=._~-]{12,}/gi, `$1${REDACTED}`],
  [/(\bpass(?:word|wd|phrase)?["']?\s*[:=]\s*)("[^"\n]*"|'[^'\n]*'|[^\s,;&"']+)/gi, `$1${REDACTED}`],
  // JSON web tokens, service account tokens among them.
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?/g, REDACTED],
  // kubeadm bootstrap tokens. A name with more labels (worker.mydomainexample1.com) is none.
  [/(?<![A-Za-z0-9.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![A-Za-z0-9-]|\.[A-Za-z0-9])/g, REDACTED],
];

/** The text without anything that looks like a secret, and without the given values. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  // Longest first, so that a secret which holds another goes as a whole.
  for (const secret of [...secrets].filter((value) => value !== '').sort((a, b) => b.length - a.length)) {
    clean = clean.replaceAll(secret, REDACTED);
  }
  for (const [pattern, replacement] of RULES) clean = clean.replace(pattern, replacement);
  return clean;
}

/** Bytes of output that go to the workflow's history. */
export const HISTORY_BYTES = 4096;

/**
 * At most `limit` bytes of UTF-8: the head, a mark that says how many bytes are left out, and the tail. The tail is the
 * longer part, because errors come last.
 */
export function cut(text: string, limit = HISTORY_BYTES): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  const room = Math.max(0, limit - MARK_BYTES);
  const head = utf8Head(bytes, Math.floor(room / 4));
  const tail = utf8Tail(bytes, room - head.length);
  return `${head.toString()}\n[... ${bytes.length - head.length - tail.length} bytes left out ...]\n${tail.toString()}`;
}

// Room for the mark with a count of up to 12 digits.
const MARK_BYTES = Buffer.byteLength('\n[... 999999999999 bytes left out ...]\n');

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

function utf8Head(bytes: Buffer, size: number): Buffer {
  let end = Math.min(size, bytes.length);
  while (end > 0 && isContinuation(bytes[end])) end--;
  return bytes.subarray(0, end);
}

function utf8Tail(bytes: Buffer, size: number): Buffer {
  let start = Math.max(0, bytes.length - size);
  while (start < bytes.length && isContinuation(bytes[start])) start++;
  return bytes.subarray(start);
}
