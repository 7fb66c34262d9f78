/**
 * Runs `act` over the items in order, at most `limit` at a time. Before each start `mayStart` is asked; its false ends the lane, and the rest is not started.
 * The first error is thrown after all that started have ended.
 */
export async function inBatches<T>(items: readonly T[], limit: number, mayStart: (item: T) => Promise<boolean>, act: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const lanes = Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      if (!(await mayStart(item))) return;
      await act(item);
    }
  });
  const ends = await Promise.allSettled(lanes);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}
