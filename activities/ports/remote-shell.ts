import type { ClusterSpec, NodeSpec } from '../../domain/cluster.js';

/** A command is a program and its arguments, never a string. Only the SSH adapter quotes. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Bytes for standard input. */
  readonly stdin?: string;
  /** Values in args that must not appear in errors or logs. */
  readonly secrets?: readonly string[];
}

/** Success and failure have the same shape. */
export interface CommandResult {
  readonly command: Command;
  /** Exit code, or null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Capped at the adapter's limit; `truncated` says so. */
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
  readonly milliseconds: number;
}

export interface RunOptions {
  /** The command is given up (channel closed) after this long. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Run as root (sudo where the SSH user is not root). Default true. */
  readonly asRoot?: boolean;
  /** Bytes of stdout and of stderr kept each, default 1 MiB. */
  readonly maxOutputBytes?: number;
}

/**
 * Runs commands on the nodes of a cluster. One connection per node, reused.
 * Throws a StepFailure (activities/failure.ts) of kind HostUnreachable, HostKeyUnknown, HostKeyChanged, SshAuthentication,
 * SshKeyUnreadable, SudoPassword or ConnectionLost; a non-zero exit is a result, not an error.
 */
export interface RemoteShell {
  run(cluster: ClusterSpec, node: NodeSpec, command: Command, options?: RunOptions): Promise<CommandResult>;
  /** Streams a file of the node to a local path (written beside, fsynced, renamed). Returns bytes and the sha256 of what was written. */
  download(cluster: ClusterSpec, node: NodeSpec, remotePath: string, localPath: string, options?: { signal?: AbortSignal }): Promise<{ bytes: number; sha256: string }>;
  /** A local TCP port (127.0.0.1) whose connections come out at host:port as seen from the node. Reused while open. */
  forward(cluster: ClusterSpec, node: NodeSpec, host: string, port: number): Promise<{ localPort: number }>;
  /** Closes everything. */
  close(): Promise<void>;
}
