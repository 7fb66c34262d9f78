/** How many workers may be away at once. */

const SHARE = /^(\d+)%$/;
const COUNT = /^\d+$/;

/**
 * A count (`2`) or a share (`20%`) of the workers as a number. A share is rounded down, so that it is never exceeded, but is at least 1,
 * or nothing would ever move. Undefined for text that is neither, for 0 and for more than 100%.
 */
export function resolveMaxUnavailable(text: string, workers: number): number | undefined {
  const trimmed = text.trim();
  const share = SHARE.exec(trimmed);
  if (share) {
    const percent = Number(share[1]);
    return percent < 1 || percent > 100 ? undefined : Math.max(1, Math.floor((workers * percent) / 100));
  }
  if (!COUNT.test(trimmed)) return undefined;
  const count = Number(trimmed);
  return count < 1 ? undefined : count;
}

/**
 * How many more nodes may be taken out now. Nodes that are away for any other reason (not ready, cordoned by somebody) count, because
 * the workload feels them all the same; a node that is both in work and not ready counts once.
 */
export function roomForMore(input: {
  readonly maxUnavailable: number;
  /** Names of the nodes that drydock is working on. */
  readonly inWork: readonly string[];
  /** Names of workers that are not ready or cordoned, by anyone. */
  readonly unavailable: readonly string[];
}): number {
  const away = new Set([...input.inWork, ...input.unavailable]);
  return Math.max(0, input.maxUnavailable - away.size);
}

/** The nodes to start next, in order. A node that is itself unavailable takes no extra room: working on it makes nothing worse. */
export function nextBatch(pending: readonly string[], input: Parameters<typeof roomForMore>[0]): readonly string[] {
  const unavailable = new Set(input.unavailable);
  let room = roomForMore(input);
  let lanes = Math.max(0, input.maxUnavailable - input.inWork.length);
  const batch: string[] = [];
  for (const name of pending) {
    if (lanes === 0) break;
    const free = unavailable.has(name);
    if (!free && room === 0) continue;
    batch.push(name);
    lanes -= 1;
    if (!free) room -= 1;
  }
  return batch;
}

/** Splits into groups of at most `size`, in order: the waves of an estimate. */
export function inWaves<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const waves: T[][] = [];
  for (let i = 0; i < items.length; i += size) waves.push(items.slice(i, i + size));
  return waves;
}
