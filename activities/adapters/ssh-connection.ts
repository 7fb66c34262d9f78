import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import type { ClientChannel, ServerHostKeyAlgorithm } from 'ssh2';
import ssh2 from 'ssh2';
import { StepFailure } from '../failure.js';
import { fingerprint, judgeHostKey, keyType, knownKeyTypes, parseKnownHosts, type KnownHostLine } from './known-hosts.js';
import { Slots } from './slots.js';
import { authMethods } from './ssh-auth.js';
import { ending, type Ending } from './ssh-channel.js';
import { connectFailure, connectionLost, type SshError } from './ssh-errors.js';

/** One machine to log in to. */
export interface SshTarget {
  /** For messages: the node's name, or `bastion`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly identity?: string;
  readonly agent: boolean;
  readonly knownHosts: string;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
}

// sshd's MaxSessions is 10 by default; two are left for a person who shares the connection's limits in sshd_config.
const MAX_CHANNELS = 8;
// SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, RFC 4254 section 5.1.
const PROHIBITED = 1;
// A dead peer is noticed after this many keep-alives without an answer.
const KEEP_ALIVES_MISSED = 3;

/** One authenticated connection to one machine. Never reused after a loss: the pool opens another. */
export class SshConnection {
  readonly #slots = new Slots(MAX_CHANNELS);
  #closed = false;
  #why: string | undefined;

  private constructor(
    readonly target: SshTarget,
    private readonly client: ssh2.Client,
  ) {
    // An error event without a listener would end the worker.
    client.on('error', (error) => (this.#why ??= error.message));
    client.once('close', () => (this.#closed = true));
  }

  /** Connects, through `via` if given. Throws HostUnreachable, HostKeyUnknown, HostKeyChanged, SshAuthentication or SshKeyUnreadable. */
  static async open(target: SshTarget, via?: SshConnection): Promise<SshConnection> {
    const [knownHosts, auth] = [await readKnownHosts(target), await authMethods(target)];
    const sock = via && (await via.forwardOut(target.host, target.port));
    const client = new ssh2.Client();
    try {
      await logIn(client, target, knownHosts, auth, sock);
    } catch (error) {
      client.destroy();
      sock?.destroy();
      throw error;
    }
    client.setNoDelay(true);
    return new SshConnection(target, client);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Why it closed, if it was not us. */
  get why(): string | undefined {
    return this.#why;
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener();
    else this.client.once('close', listener);
  }

  /**
   * Starts a command line on a channel of its own, when one is free. `release` gives the channel's slot back.
   * Throws NotSent when the connection died before the line can have reached the node, ConnectionLost when it may have.
   */
  async exec(line: string): Promise<RunningCommand> {
    for (;;) {
      const release = await this.#slots.acquire();
      try {
        return { ...(await this.#openChannel(line)), release };
      } catch (error) {
        release();
        if (!isRefusedChannel(error)) throw this.#channelFailure(error);
        // Refused although we hold none: sshd still counts commands that we gave up and that have not ended. A new connection has room.
        if (this.#slots.held === 0) {
          this.end();
          throw new NotSent(`sshd opens no more sessions on this connection (${(error as Error).message})`);
        }
        // An sshd with a lower MaxSessions: be content with fewer.
        this.#slots.limit = Math.min(this.#slots.limit, this.#slots.held);
      }
    }
  }

  /** A stream that comes out at host:port as seen from the machine. Throws HostUnreachable. */
  forwardOut(host: string, port: number): Promise<Duplex> {
    const { target } = this;
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new StepFailure('HostUnreachable', `${target.name} cannot open a connection to ${host}:${port}: ${why}.`));
      const timer = setTimeout(() => fail(`no answer within ${target.connectTimeoutMs / 1000} s`), target.connectTimeoutMs);
      const answer = (error: (Error & { reason?: unknown }) | undefined, channel: ClientChannel) => {
        clearTimeout(timer);
        if (!error) resolve(channel);
        else fail(error.reason === PROHIBITED ? 'sshd forbids it (AllowTcpForwarding, PermitOpen)' : error.message);
      };
      try {
        this.client.forwardOut('127.0.0.1', 0, host, port, answer);
      } catch (error) {
        answer(error as Error, undefined as never);
      }
    });
  }

  end(): void {
    this.#closed = true;
    this.client.end();
  }

  #openChannel(line: string): Promise<Omit<RunningCommand, 'release'>> {
    return new Promise((resolve, reject) => {
      // Never a pty: with one, a dropped connection would send SIGHUP, and stdout and stderr would be one.
      this.client.exec(line, { pty: false }, (error, channel) => {
        // The ending is listened for here and now: a short command's exit status comes in the same packet as the answer to exec.
        if (error) reject(error);
        else resolve({ channel, ended: ending(channel) });
      });
    });
  }

  #channelFailure(error: unknown): Error {
    const message = error instanceof Error ? error.message : String(error);
    if (/^(Not connected|No response from server)/.test(message)) return new NotSent(this.#why ?? message);
    if (this.#closed) return connectionLost(this.target, 'while a command was being sent', this.#why);
    if (/Unable to exec/i.test(message)) {
      return new StepFailure('SshAuthentication', `${this.target.name} let ${this.target.user} in but refuses to run commands for this account.`);
    }
    return new StepFailure('HostUnreachable', `${this.target.name} opens no channel: ${message}.`);
  }
}

export interface RunningCommand {
  readonly channel: ClientChannel;
  readonly ended: Promise<Ending>;
  /** Gives the channel's slot back. */
  readonly release: () => void;
}

/** The command line has certainly not reached the node: it may be sent again over another connection. */
export class NotSent extends Error {}

const isRefusedChannel = (error: unknown): boolean => error instanceof Error && /Channel open failure/i.test(error.message);

async function readKnownHosts(target: SshTarget): Promise<KnownHostLine[]> {
  try {
    return parseKnownHosts(await readFile(target.knownHosts, 'utf8'));
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : (error as Error).message;
    throw new StepFailure('HostKeyUnknown', `The known_hosts file ${target.knownHosts} cannot be read (${why}), so the host key of ${target.name} cannot be verified.`);
  }
}

async function logIn(client: ssh2.Client, target: SshTarget, known: readonly KnownHostLine[], auth: readonly ssh2.AnyAuthMethod[], sock?: Duplex): Promise<void> {
  let refusal: StepFailure | undefined;
  let agentError: string | undefined;
  await new Promise<void>((resolve, reject) => {
    const fail = (error: SshError) => {
      // A missing agent is not the end: the key file may still do.
      if (error.level === 'agent') agentError = error.message;
      else reject(refusal ?? withAgentError(connectFailure(target, error), agentError));
    };
    client.on('error', fail);
    client.once('close', () => fail(new Error('Connection lost before handshake')));
    client.once('ready', resolve);
    try {
      client.connect({
        ...(sock ? { sock } : { host: target.host, port: target.port }),
        username: target.user,
        authHandler: [...auth],
        readyTimeout: target.connectTimeoutMs,
        keepaliveInterval: target.keepAliveMs,
        keepaliveCountMax: KEEP_ALIVES_MISSED,
        algorithms: { serverHostKey: hostKeyAlgorithms(knownKeyTypes(known, target.host, target.port)) },
        hostVerifier: (key: Buffer) => {
          refusal = hostKeyRefusal(target, known, key);
          return refusal === undefined;
        },
      });
    } catch (error) {
      fail(error as SshError);
    }
  });
}

const withAgentError = (failure: StepFailure, agentError: string | undefined): StepFailure =>
  agentError === undefined ? failure : new StepFailure(failure.kind, `${failure.message} The SSH agent failed as well: ${agentError}.`, undefined, { cause: failure.cause });

// ssh-rsa with SHA-1 and ssh-dss are not offered: OpenSSH has refused both for years.
const ALGORITHMS: readonly (readonly [type: string, algorithms: readonly ServerHostKeyAlgorithm[]])[] = [
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
];

/**
 * The known types first. The server shows one key, of the first type here that it has: with any other order it might show
 * a key of a type we have no line for, and a good host would look changed. The other types stay at the end, so that a
 * host which has none of the known ones still shows us a key to name in the refusal.
 */
export function hostKeyAlgorithms(known: readonly string[]): ServerHostKeyAlgorithm[] {
  const first = ALGORITHMS.filter(([type]) => known.includes(type));
  const rest = ALGORITHMS.filter(([type]) => !known.includes(type));
  return [...first, ...rest].flatMap(([, algorithms]) => algorithms);
}

function hostKeyRefusal(target: SshTarget, known: readonly KnownHostLine[], key: Buffer): StepFailure | undefined {
  const verdict = judgeHostKey(known, target.host, target.port, key);
  const shown = `${target.name} (${target.host}:${target.port}) shows the host key ${keyType(key)} ${fingerprint(key)}`;
  switch (verdict.verdict) {
    case 'trusted':
      return undefined;
    case 'unknown':
      return new StepFailure('HostKeyUnknown', `${shown}, and ${target.knownHosts} has no line for this host.`);
    case 'changed':
      return new StepFailure('HostKeyChanged', `${shown}, but ${target.knownHosts}:${verdict.line} says ${verdict.knownType} ${verdict.knownFingerprint}.`);
    case 'revoked':
      return new StepFailure('HostKeyChanged', `${shown}, which ${target.knownHosts}:${verdict.line} marks as revoked.`);
  }
}
