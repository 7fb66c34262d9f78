/** The exit codes of the contract, by name. */
export const EXIT = { done: 0, defect: 1, usage: 2, refused: 3, decision: 4, aborted: 5, unreachable: 6, held: 7 } as const;

/** An expected end of a command: printed without a stack, ends with this code. */
export class Exit extends Error {
  constructor(readonly code: number, message: string) {
    super(message);
  }
}
