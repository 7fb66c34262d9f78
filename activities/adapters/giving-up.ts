/** One reason to stop waiting: the caller's signal or a time limit, whichever comes first. */
export class GivingUp {
  readonly #controller = new AbortController();
  readonly #dispose: () => void;

  /** `late` makes the error of the time limit. */
  constructor(signal: AbortSignal | undefined, timeoutMs: number | undefined, late: () => Error) {
    const abort = () => this.#controller.abort(signal?.reason);
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.#controller.abort(late()), timeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    this.#dispose = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  }

  /** The work, or the reason to stop as an error. The work itself goes on; `onGivingUp` may end it. */
  async race<T>(work: Promise<T>, onGivingUp: () => void = () => {}): Promise<T> {
    const { signal } = this.#controller;
    let stop = (): void => {};
    const stopped = new Promise<never>((_, reject) => {
      stop = () => {
        onGivingUp();
        reject(signal.reason as Error);
      };
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    work.catch(() => {}); // it may fail after nobody waits for it any more
    try {
      return await Promise.race([stopped, work]);
    } finally {
      signal.removeEventListener('abort', stop);
      stopped.catch(() => {});
    }
  }

  dispose(): void {
    this.#dispose();
  }
}
