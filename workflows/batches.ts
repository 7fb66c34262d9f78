/** Runs `act` over the items in order, at most `limit` at a time; before each start it asks `mayStart`. The first error is thrown after all that started have ended. */
export async function inBatches<T>(items: readonly T[], limit: number, mayStart: () => Promise<void>, act: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const lanes = Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, async () => {
    for (;;) {
      if (queue.length === 0) return;
      await mayStart();
      const item = queue.shift();
      if (item === undefined) return;
      await act(item);
    }
  });
  const ends = await Promise.allSettled(lanes);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}
