import type { ClusterSpec } from '../../domain/cluster.js';

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path below the server, `/api/v1/nodes/w1`; build it with `kubePath`, which encodes names. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Whole request, connect included. Default 15 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** One event of a watch; `BOOKMARK` and `ERROR` are handled inside the adapter. */
export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
}

/** An answer of the API server other than 2xx. `code` is the HTTP status; `reason` and `causes` are those of its Status object. */
export class KubeStatusError extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly causes: readonly { reason: string; message: string }[],
    readonly retryAfterSeconds: number | undefined,
  ) {
    super(message);
    this.name = 'KubeStatusError';
  }
}

/**
 * The API server of a cluster. Throws StepFailure ApiUnreachable (refused, reset, timed out), KubeconfigInvalid, or the SSH kinds
 * when the way there is a tunnel; KubeStatusError for an answer that is not 2xx.
 */
export interface KubeApi {
  /** JSON by default; text answers (`/metrics`, `/readyz`) come as string. */
  request<T>(cluster: ClusterSpec, request: KubeRequest): Promise<T>;
  /**
   * Calls `onEvent` for each event after `resourceVersion` until the server closes (returns 'closed'), the version expired ('expired': list again)
   * or the signal aborts ('aborted').
   */
  watch<T>(
    cluster: ClusterSpec,
    path: string,
    query: Readonly<Record<string, string>>,
    onEvent: (event: WatchEvent<T>) => void,
    signal: AbortSignal,
  ): Promise<'closed' | 'expired' | 'aborted'>;
}

/** Joins path segments, each encoded: names from the API or a file never become a path of their own. */
export function kubePath(...segments: readonly string[]): string {
  return '/' + segments.map((segment) => encodeURIComponent(segment)).join('/');
}
