import assert from 'node:assert/strict';
import { StepFailure } from '../../activities/failure.js';
import type { FailureKind } from '../../domain/failure.js';
import { cannotRun } from './cannot-run.js';
import { Sshd } from './sshd.js';

/** Skips the suite where no sshd program exists. */
export function needsSshd(): void {
  before(function () {
    if (Sshd.program === undefined) cannotRun(this, 'SSH', 'no sshd program on this machine (Debian: apt-get install openssh-server)');
  });
}

/** Asserts that the promise rejects with a StepFailure of this kind (or one of these) whose message matches; gives it back. */
export async function failure(promise: Promise<unknown>, kind: FailureKind | readonly FailureKind[], message = /./): Promise<StepFailure> {
  const error: unknown = await promise.then((value) => assert.fail(`expected ${String(kind)}, got a value: ${JSON.stringify(value)}`), (reason: unknown) => reason);
  if (!(error instanceof StepFailure)) throw error;
  assert.ok([kind].flat().includes(error.kind), `expected ${String(kind)}, got ${error.kind}: ${error.message}`);
  assert.match(error.message, message);
  return error;
}
