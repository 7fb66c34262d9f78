import type { ClusterSpec } from '../../domain/cluster.js';
import type { KubeApi } from '../ports/kube-api.js';
import { isTransient } from './failure-of.js';
import { listAll } from './objects.js';

interface KubeObject {
  metadata?: { uid?: string };
}

export interface WatchUntilOptions {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Epoch milliseconds: after this the answer is undefined. */
  readonly deadline: number;
  readonly signal: AbortSignal;
  /** Called when the API server cannot be reached (with the reason) and when it can again (undefined). */
  readonly onAway?: (why: string | undefined) => void;
  /** Given a bell: ringing it makes `look` be called again, for evidence from elsewhere. */
  readonly onBell?: (ring: () => void) => void;
}

const FIRST_PAUSE_MS = 250;
const GOOD_MS = 1_000;

/** Asks to look again at this moment (epoch milliseconds) although nothing changed. */
export type WakeAt = (moment: number) => void;

/**
 * Holds one list and watch, and calls `look` with the live objects (by uid) after the list and after each change, never twice at a time, until it returns
 * something. An API server that is away is waited out with back-off. Returns undefined at the deadline; throws what is not transient, and on abort.
 */
export async function watchUntil<T extends KubeObject, R>(
  kube: KubeApi,
  cluster: ClusterSpec,
  options: WatchUntilOptions,
  look: (objects: readonly T[], wakeAt: WakeAt) => Promise<R | undefined>,
): Promise<R | undefined> {
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    options.signal.throwIfAborted();
    if (Date.now() >= options.deadline) return undefined;
    const began = Date.now();
    try {
      const answer = await watchOnce(kube, cluster, options, look);
      if (answer !== undefined) return answer.value;
    } catch (error) {
      if (options.signal.aborted || !isTransient(error)) throw error;
      options.onAway?.((error as Error).message);
    }
    // However it ended: a list and a watch that lasted a while were a good one. One that is over at once, be it refused or closed, is asked more and more seldom.
    if (Date.now() - began >= GOOD_MS) pause = FIRST_PAUSE_MS;
    await sleep(Math.min(pause, Math.max(0, options.deadline - Date.now())), options.signal);
    pause = Math.min(pause * 2, 5_000);
  }
}

/** One list and the watch after it. Undefined when the watch ended without an answer. */
async function watchOnce<T extends KubeObject, R>(
  kube: KubeApi,
  cluster: ClusterSpec,
  options: WatchUntilOptions,
  look: (objects: readonly T[], wakeAt: WakeAt) => Promise<R | undefined>,
): Promise<{ value: R | undefined } | undefined> {
  const { items, resourceVersion } = await listAll<T>(kube, cluster, options.path, options.query, options.signal);
  options.onAway?.(undefined);
  const objects = new Map(items.map((item) => [item.metadata?.uid ?? '', item]));
  const stop = new AbortController();
  const bell = new Bell();
  options.onBell?.(() => bell.ring());
  const ended = kube
    .watch<T>(cluster, options.path, { ...options.query, resourceVersion }, (event) => {
      const uid = event.object.metadata?.uid ?? '';
      if (event.type === 'DELETED') objects.delete(uid);
      else objects.set(uid, event.object);
      bell.ring();
    }, AbortSignal.any([options.signal, stop.signal]))
    .then(() => undefined, (error: unknown) => ({ error }))
    .then((failure) => {
      bell.close(failure);
    });
  try {
    for (;;) {
      let wake = options.deadline;
      const value = await look([...objects.values()], (moment) => (wake = Math.min(wake, moment)));
      if (value !== undefined) return { value };
      if (Date.now() >= options.deadline) return { value: undefined };
      await bell.heard(wake, options.signal);
      options.signal.throwIfAborted();
      if (bell.closed) {
        if (bell.closed.failure) throw bell.closed.failure.error;
        return undefined;
      }
    }
  } finally {
    stop.abort();
    await ended;
  }
}

/** Wakes one waiter; a ring before the wait is not lost. */
class Bell {
  closed: { failure: { error: unknown } | undefined } | undefined;
  private rung = false;
  private waiter: (() => void) | undefined;

  ring(): void {
    this.rung = true;
    this.waiter?.();
  }

  close(failure: { error: unknown } | undefined): void {
    this.closed = { failure };
    this.ring();
  }

  async heard(until: number, signal: AbortSignal): Promise<void> {
    if (!this.rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, until - Date.now()));
        this.waiter = () => {
          clearTimeout(timer);
          resolve();
        };
        signal.addEventListener('abort', this.waiter, { once: true });
        if (signal.aborted) this.waiter();
      });
      if (this.waiter) signal.removeEventListener('abort', this.waiter);
      this.waiter = undefined;
    }
    this.rung = false;
  }
}

/** Sleeps, or rejects on abort. */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      signal.removeEventListener('abort', abort);
      resolve();
    }
    function abort(): void {
      clearTimeout(timer);
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    }
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
