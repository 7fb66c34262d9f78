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

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
