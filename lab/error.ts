/** An error whose text is meant for the person at the terminal: what failed, and what to do next. */
export class LabError extends Error {
  override readonly name = 'LabError';

  /** `exitCode` 2: usage or environment, the person can cure it. 1: the lab itself did not do what it should. */
  constructor(message: string, readonly next: string, readonly exitCode: 1 | 2 = 1) {
    super(message);
  }
}

/** A mistake in what was asked for. */
export const usage = (message: string, next: string): LabError => new LabError(message, next, 2);

/** The text of anything thrown. */
export const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
