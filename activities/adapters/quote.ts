import { StepFailure } from '../failure.js';
import type { Command } from '../ports/remote-shell.js';

/** The only place where a word becomes shell text: POSIX single quotes, whatever the word is. */
export function quoteWord(word: string): string {
  // The shell ends a word at NUL and UTF-8 has no half surrogates: both would arrive as another word than was meant.
  if (word.includes('\0')) throw new StepFailure('InputInvalid', 'A command argument holds a NUL byte, which no command line can carry.');
  if (/\p{Surrogate}/u.test(word)) throw new StepFailure('InputInvalid', 'A command argument is not valid Unicode text (half a surrogate pair).');
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** One shell line for a program and its arguments. */
export function quoteCommand(command: Pick<Command, 'program' | 'args'>): string {
  return [command.program, ...command.args].map(quoteWord).join(' ');
}

// What every remote command sees. Parsers read English text with C sorting; Debian's non-root accounts lack /usr/sbin in PATH.
const ENVIRONMENT = ['LC_ALL=C', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

// Linux takes at most 128 KiB in one argument, and sshd hands the whole line to the login shell as one.
const MAX_LINE_BYTES = 120 * 1024;

/**
 * The line that sshd is asked to run. With sudo the environment is set twice: before, for sudo's own messages, and
 * behind it, because sudo resets it.
 */
export function remoteLine(command: Command, options: { sudo: boolean }): string {
  const inner = ['env', ...ENVIRONMENT, command.program, ...command.args];
  const words = options.sudo ? ['env', ...ENVIRONMENT, 'sudo', '-n', '--', ...inner] : inner;
  const line = words.map(quoteWord).join(' ');
  const bytes = Buffer.byteLength(line);
  if (bytes > MAX_LINE_BYTES) {
    throw new StepFailure('InputInvalid', `The command line of ${command.program} is ${bytes} bytes long; at most ${MAX_LINE_BYTES} can be sent.`);
  }
  return line;
}
