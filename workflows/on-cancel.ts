import { CancellationScope, isCancellation } from '@temporalio/workflow';

/** Calls `act` when the workflow is cancelled in Temporal (web UI, CLI). Call it at the root, and run everything else in a nonCancellable scope. */
export function onCancel(act: (why: string) => void): void {
  CancellationScope.current().cancelRequested.catch((error: unknown) => {
    if (isCancellation(error)) act('the workflow was cancelled');
  });
}
