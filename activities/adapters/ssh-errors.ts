import { StepFailure } from '../failure.js';
import type { SshTarget } from './ssh-connection.js';

/** What ssh2 puts on its errors. */
export interface SshError extends Error {
  readonly level?: string;
  readonly code?: string;
}

const nameOf = (target: SshTarget): string => `${target.name} (${target.user}@${target.host}:${target.port})`;

/** A failure to connect, as one of the closed set. Anything but a refused log-in may be over in a minute, so it is retryable. */
export function connectFailure(target: SshTarget, error: SshError): StepFailure {
  const options = { cause: error };
  if (error.level === 'client-authentication') {
    const tried = [target.identity && `the key ${target.identity}`, target.agent && 'the agent\'s keys'].filter(Boolean).join(' and ');
    return new StepFailure('SshAuthentication', `${nameOf(target)} refused ${tried}.`, undefined, options);
  }
  return new StepFailure('HostUnreachable', `${nameOf(target)} cannot be reached: ${reasonOf(target, error)}.`, undefined, options);
}

const SOCKET_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset before the log-in was done',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no answer',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name server does not answer',
};

function reasonOf(target: SshTarget, error: SshError): string {
  if (error.level === 'client-timeout' || /timed out/i.test(error.message)) return `no log-in within ${target.connectTimeoutMs / 1000} s`;
  if (error.code !== undefined && SOCKET_REASONS[error.code]) return SOCKET_REASONS[error.code] ?? '';
  if (/before handshake/i.test(error.message)) return 'it closed the connection before the log-in was done (sshd\'s MaxStartups, or no SSH server at this port)';
  return error.message.replace(/\.$/, '');
}

/** The connection went away while `what` was under way. */
export function connectionLost(target: SshTarget, what: string, why?: string): StepFailure {
  return new StepFailure('ConnectionLost', `The connection to ${nameOf(target)} was lost ${what}${why ? `: ${why}` : ''}.`);
}

// sudo writes its own complaints before anything runs, always with this prefix on the first line.
const SUDO_COMPLAINTS: readonly (readonly [RegExp, string])[] = [
  [/^sudo: (a password is required|a terminal is required|no tty present|sorry, you must have a tty|no askpass)/m, 'sudo asks for a password or a terminal'],
  [/is not in the sudoers file|is not allowed to (execute|run sudo)|may not run sudo/m, 'the account may not use sudo for this'],
  [/^env: .?sudo.?: No such file or directory|sudo: (command )?not found/m, 'sudo is not installed'],
];

/** Why sudo did not run the command, or undefined when the command itself failed. */
export function sudoComplaint(exitCode: number | null, stderr: string): string | undefined {
  // 1 is sudo's own refusal, 127 is what `env` says of a missing program.
  if (exitCode !== 1 && exitCode !== 127) return undefined;
  return SUDO_COMPLAINTS.find(([pattern]) => pattern.test(stderr.slice(0, 2048)))?.[1];
}
