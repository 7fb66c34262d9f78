import { mock } from 'node:test';

/** A clock that stands still between `pass` and `until`: waits of minutes take milliseconds. */
export class Clock {
  private constructor() {}

  static start(at = Date.parse('2026-11-23T12:00:00Z')): Clock {
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: at });
    return new Clock();
  }

  stop(): void {
    mock.timers.reset();
  }

  /** Lets this much time pass, in small steps, so that what waits on each other gets its turn. */
  async pass(milliseconds: number): Promise<void> {
    const step = 100;
    for (let left = milliseconds; left > 0; left -= step) {
      await turns();
      mock.timers.tick(Math.min(step, left));
    }
    await turns();
  }

  /** Lets time pass until the promise settles; fails after `limit`. Gives the value and how long it took. */
  async until<T>(promise: Promise<T>, limit = 3_600_000): Promise<{ value: T; milliseconds: number }> {
    const began = Date.now();
    let settled = false;
    const noted = promise.finally(() => (settled = true));
    noted.catch(() => undefined);
    await turns();
    while (!settled) {
      if (Date.now() - began > limit) throw new Error(`not over after ${limit / 1000} s of the test's clock`);
      await this.pass(100);
    }
    return { value: await noted, milliseconds: Date.now() - began };
  }
}

/** Enough turns of the event loop for promises that wait on each other. */
async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
