/** The YAML text with its places: which line and column a path of the value has. */
import { type Document, isMap, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Path, Problem } from './problem.js';

export interface Source {
  readonly file: string;
  readonly document: Document;
  readonly value: unknown;
  /** Mistakes in the YAML itself; not empty: `value` means nothing. */
  readonly syntax: readonly Problem[];
  /** Where the value at the path stands; the nearest section above it when it is missing. */
  at(path: Path): { readonly line: number; readonly column: number };
  /** Where a key of the section at the path stands. */
  atKey(path: Path, key: string): { readonly line: number; readonly column: number };
}

export function readSource(text: string, file: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const syntax = document.errors.map((error): Problem => ({ file, ...place(error.pos[0]), path: '', found: `invalid YAML (${sentence(error.message)})`, wanted: 'valid YAML' }));
  return {
    file,
    document,
    value: syntax.length > 0 ? undefined : (document.toJS() as unknown),
    syntax,
    at: (path) => place(offsetOf(document, path)),
    atKey: (path, key) => place(keyOffset(document, path, key) ?? offsetOf(document, path)),
  };
}

/** The parser's own message, less its advice to programmers. */
const sentence = (message: string): string => message.split(/\n|; please use/)[0] ?? message;

/** Goes up until something has a place. */
function offsetOf(document: Document, path: Path): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const found = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    const range = rangeOf(found);
    if (range !== undefined) return range;
    // A key with nothing behind it has a place by its key alone.
    const key = depth > 0 ? path[depth - 1] : undefined;
    const byKey = typeof key === 'string' ? keyOffset(document, path.slice(0, depth - 1), key) : undefined;
    if (byKey !== undefined) return byKey;
  }
  return 0;
}

function keyOffset(document: Document, path: Path, key: string): number | undefined {
  const section = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isMap(section)) return undefined;
  const pair = section.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
  return rangeOf(pair?.key);
}

function rangeOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined;
  const range = (node as { readonly range?: readonly number[] | null }).range;
  return range?.[0];
}
