import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/workflow';
import { type Failure, isFailureKind } from '../domain/failure.js';

/** The one reader of failures: what arrives around an activity is an ActivityFailure whose cause has the kind. */
export function failureOf(error: unknown): Failure {
  const cause = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? (error.cause ?? error) : error;
  if (cause instanceof ApplicationFailure && isFailureKind(cause.type)) {
    const details = cause.details?.[0] as { output?: string | null } | undefined;
    return { kind: cause.type, message: cause.message, ...(details?.output ? { output: details.output } : {}) };
  }
  if (cause instanceof TimeoutFailure) return { kind: 'HostUnreachable', message: `Given up after the step's deadline. ${cause.cause?.message ?? cause.message}` };
  return { kind: 'Defect', message: cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause) };
}
