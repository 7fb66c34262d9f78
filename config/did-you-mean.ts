/** The known word nearest to a mistyped one. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  const plain = simplify(word);
  const ranked = known.map((candidate) => ({ candidate, distance: distance(plain, simplify(candidate)) })).sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  // A third of the word may be wrong; more than that is another word.
  return best && best.distance <= Math.max(1, Math.floor(plain.length / 3)) ? best.candidate : undefined;
}

/** `known_hosts`, `known-hosts` and `knownHosts` are one word to a person. */
const simplify = (word: string): string => word.toLowerCase().replace(/[-_]/g, '');

/** Levenshtein's distance, with two neighbours swapped as one mistake: the commonest slip of the fingers. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, i) => i)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const change = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(change, swapped, at(i - 1, j) + 1, at(i, j - 1) + 1));
    }
  }
  return at(a.length, b.length);
}
