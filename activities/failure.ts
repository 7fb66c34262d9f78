import { ApplicationFailure } from '@temporalio/common';
import { type FailureKind, isRetryable, nextAction } from '../domain/failure.js';

/**
 * The one error that leaves an activity: `type` is the failure kind, retryable or not by that kind.
 * `output` is cut and redacted before it gets here.
 */
export class StepFailure extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
    readonly output?: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'StepFailure';
  }
}

/** What Temporal records: kind as type, the next action and the output as details; the wait before the next try grows with the attempts, to 15 s. */
export function toApplicationFailure(failure: StepFailure, attempt = 1): ApplicationFailure {
  return ApplicationFailure.create({
    type: failure.kind,
    message: failure.message,
    nonRetryable: !isRetryable(failure.kind),
    nextRetryDelay: Math.min(15_000, 1_000 * 1.5 ** (attempt - 1)),
    details: [{ output: failure.output ?? null, next: nextAction(failure.kind) }],
  });
}
