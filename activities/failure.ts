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

/** What Temporal records: kind as type, the next action and the output as details. */
export function toApplicationFailure(failure: StepFailure): ApplicationFailure {
  return ApplicationFailure.create({
    type: failure.kind,
    message: failure.message,
    nonRetryable: !isRetryable(failure.kind),
    details: [{ output: failure.output ?? null, next: nextAction(failure.kind) }],
  });
}
