/** Sorting by name as people do (`w2` before `w10`), without Intl: its tables differ between machines, and a replay must not. */
export function compareNames(a: string, b: string): number {
  const left = chunks(a);
  const right = chunks(b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareChunks(left[i] ?? '', right[i] ?? '');
    if (order !== 0) return order;
  }
  return left.length - right.length || compareText(a, b);
}

const chunks = (text: string): readonly string[] => text.match(/\d+|\D+/g) ?? [];

function compareChunks(a: string, b: string): number {
  const digits = /^\d/;
  if (digits.test(a) && digits.test(b)) return Number(a) - Number(b);
  return compareText(a, b);
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Control plane first; inside a role the names of `order` in that order, then the rest by name. */
export function inWorkOrder<T extends { readonly name: string; readonly role: 'control-plane' | 'worker' }>(
  nodes: readonly T[],
  order: readonly string[],
): readonly T[] {
  const rank = (name: string): number => {
    const place = order.indexOf(name);
    return place < 0 ? order.length : place;
  };
  const roleRank = (node: T): number => (node.role === 'control-plane' ? 0 : 1);
  return [...nodes].sort((a, b) => roleRank(a) - roleRank(b) || rank(a.name) - rank(b.name) || compareNames(a.name, b.name));
}
