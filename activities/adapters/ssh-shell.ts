import type { ClusterSpec, NodeSpec } from '../../domain/cluster.js';
import { StepFailure } from '../failure.js';
import type { Command, CommandResult, RemoteShell, RunOptions } from '../ports/remote-shell.js';
import { GivingUp } from './giving-up.js';
import { remoteLine } from './quote.js';
import { abandon, Capture } from './ssh-channel.js';
import { NotSent, type RunningCommand, type SshConnection } from './ssh-connection.js';
import { downloadFile } from './ssh-download.js';
import { connectionLost, sudoComplaint } from './ssh-errors.js';
import { LocalForwards } from './ssh-forward.js';
import { SshPool } from './ssh-pool.js';

const DEFAULT_OUTPUT_BYTES = 1024 * 1024;

/** The RemoteShell over SSH. One instance a worker; it holds the connections. */
export class SshShell implements RemoteShell {
  readonly #pool = new SshPool();
  readonly #forwards = new LocalForwards(this.#pool);

  async run(cluster: ClusterSpec, node: NodeSpec, command: Command, options: RunOptions = {}): Promise<CommandResult> {
    const started = performance.now();
    const sudo = needsSudo(cluster, node, options.asRoot ?? true);
    const line = remoteLine(command, { sudo });
    const givingUp = new GivingUp(options.signal, options.timeoutMs, () => noAnswer(node, command, options.timeoutMs));
    try {
      const { connection, channel, ended, release } = await this.#start(cluster, node, line, givingUp);
      void ended.then(release);
      const stdout = new Capture(options.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES);
      const stderr = new Capture(options.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES);
      channel.on('data', (chunk: Buffer) => stdout.add(chunk));
      channel.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
      channel.end(command.stdin ?? '');
      const end = await givingUp.race(ended, () => abandon(channel, release));
      if (end === 'lost') throw connectionLost(connection.target, `while ${command.program} ran`, connection.why);
      const result = {
        command, ...end, stdout: stdout.text(), stderr: stderr.text(), truncated: stdout.truncated || stderr.truncated,
        milliseconds: Math.round(performance.now() - started),
      };
      if (sudo) refuseSudoComplaint(connection, result);
      return result;
    } finally {
      givingUp.dispose();
    }
  }

  async download(cluster: ClusterSpec, node: NodeSpec, remotePath: string, localPath: string, options: { signal?: AbortSignal } = {}): Promise<{ bytes: number; sha256: string }> {
    const size = await this.run(cluster, node, { program: 'stat', args: ['-L', '-c', '%s', '--', remotePath] }, options);
    if (size.exitCode !== 0) throw new StepFailure('CommandFailed', `${node.name}: ${remotePath} cannot be read: ${size.stderr.trim()}.`);
    const line = remoteLine({ program: 'cat', args: ['--', remotePath] }, { sudo: needsSudo(cluster, node, true) });
    const givingUp = new GivingUp(options.signal, undefined, () => new Error());
    try {
      const { connection, channel, ended, release } = await this.#start(cluster, node, line, givingUp);
      const from = { channel, ended, target: connection.target, path: remotePath, bytes: Number(size.stdout.trim()) };
      return await givingUp.race(downloadFile(from, localPath).finally(release), () => abandon(channel, release));
    } finally {
      givingUp.dispose();
    }
  }

  async forward(cluster: ClusterSpec, node: NodeSpec, host: string, port: number): Promise<{ localPort: number }> {
    return this.#forwards.open(cluster, node, host, port);
  }

  async close(): Promise<void> {
    this.#forwards.close();
    await this.#pool.close();
  }

  /** Starts the line; once more over a new connection if the old one turns out to be dead before the line was sent. */
  async #start(cluster: ClusterSpec, node: NodeSpec, line: string, givingUp: GivingUp): Promise<Started> {
    for (let attempt = 1; ; attempt++) {
      const { connection, fresh } = await givingUp.race(this.#pool.connection(cluster, node));
      const opening = connection.exec(line);
      const abandonLate = () => void opening.then(({ channel, release }) => abandon(channel, release), () => {});
      try {
        return { connection, ...(await givingUp.race(opening, abandonLate)) };
      } catch (error) {
        if (!(error instanceof NotSent)) throw error;
        if (fresh || attempt > 1) throw connectionLost(connection.target, 'before a command could be sent', error.message);
      }
    }
  }
}

interface Started extends RunningCommand {
  readonly connection: SshConnection;
}

function needsSudo(cluster: ClusterSpec, node: NodeSpec, asRoot: boolean): boolean {
  const { sudo } = cluster.ssh;
  if (!asRoot || sudo === 'never') return false;
  return sudo === 'always' || (node.user ?? cluster.ssh.user) !== 'root';
}

function refuseSudoComplaint({ target }: SshConnection, result: CommandResult): void {
  const complaint = sudoComplaint(result.exitCode, result.stderr);
  if (complaint === undefined) return;
  throw new StepFailure('SudoPassword', `${target.name}: ${target.user} cannot become root without a password: ${complaint}.`, result.stderr.slice(0, 1024));
}

const noAnswer = (node: NodeSpec, command: Command, timeoutMs = 0): StepFailure =>
  new StepFailure('ConnectionLost', `${node.name} gave no answer to ${command.program} within ${timeoutMs / 1000} s.`);
