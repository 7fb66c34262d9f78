import { StepFailure } from '../failure.js';
import { KubeStatusError } from '../ports/kube-api.js';

/** Answers that pass by themselves: overload, a restarting API server, a leader change, a conflict. */
export function isTransient(error: unknown): boolean {
  if (error instanceof StepFailure) return error.kind === 'ApiUnreachable' || error.kind === 'HostUnreachable' || error.kind === 'ConnectionLost';
  if (!(error instanceof KubeStatusError)) return false;
  return error.code >= 500 || error.code === 408 || error.code === 409 || error.code === 429;
}

/** Any error of the Kubernetes API as one of the closed set of failures. */
export function kubeFailure(error: unknown, doing: string): StepFailure {
  if (error instanceof StepFailure) return error;
  if (error instanceof KubeStatusError) {
    if (error.code === 401 || error.code === 403) return new StepFailure('ApiForbidden', `${doing}: ${error.message}`, undefined, { cause: error });
    if (error.code === 404) return new StepFailure('NodeNotFound', `${doing}: ${error.message}`, undefined, { cause: error });
    if (isTransient(error)) return new StepFailure('ApiUnreachable', `${doing}: the API server answered ${error.code}: ${error.message}`, undefined, { cause: error });
    return new StepFailure('Defect', `${doing}: the API server refused with ${error.code} ${error.reason}: ${error.message}`, undefined, { cause: error });
  }
  return new StepFailure('Defect', `${doing}: ${String((error as Error)?.stack ?? error)}`, undefined, { cause: error });
}
