/** At most `limit` holders at a time; the others wait in order. */
export class Slots {
  #held = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(public limit: number) {}

  get held(): number {
    return this.#held;
  }

  /** Resolves to the function that gives the slot back. */
  async acquire(): Promise<() => void> {
    while (this.#held >= this.limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#held++;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#held--;
      this.#waiting.shift()?.();
    };
  }
}
