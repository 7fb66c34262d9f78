/**
 * A short hash over plain JSON: 12 hex digits of FNV-1a 64.
 *
 * It tells one plan from the next when a person approves it; it guards against confusion, not against forgery: whoever can hand
 * drydock a plan can also hand it the digest. So it need not be cryptographic, and may not be: node:crypto does not exist in
 * Temporal's sandbox. 48 bits make a chance match of two plans of one cluster less likely than one in 10^14.
 */
export function digestOf(value: unknown): string {
  return fnv1a64(canonical(value)).toString(16).padStart(16, '0').slice(0, 12);
}

const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

function fnv1a64(text: string): bigint {
  let hash = OFFSET;
  for (const character of text) {
    // By code point rather than by byte: the same text gives the same hash, which is all that is wanted.
    hash = BigInt.asUintN(64, (hash ^ BigInt(character.codePointAt(0) ?? 0)) * PRIME);
  }
  return hash;
}

/** JSON with sorted keys, so that the order in which a value was built does not matter. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(',')}}`;
}
