import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { LabError } from './error.js';
import { cachePath } from './paths.js';

export interface RunOptions {
  /** What the command is for, in the error's first line. */
  what: string;
  /** Every command has an end: after this many seconds it is killed. */
  timeoutSeconds: number;
  input?: string;
  cwd?: string;
  env?: Record<string, string>;
  /** What to do when it fails. */
  next?: string;
}

export interface RunResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a command and returns how it ended; only a command that cannot be started, or one past its time, throws. */
export async function attempt(program: string, args: string[], options: RunOptions): Promise<RunResult> {
  const { what, timeoutSeconds, input, cwd, env } = options;
  const result = await execa(program, args, {
    reject: false,
    timeout: timeoutSeconds * 1000,
    stdin: input === undefined ? 'ignore' : 'pipe',
    maxBuffer: 64 * 1024 * 1024,
    ...(input === undefined ? {} : { input }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
  if (result.timedOut) {
    throw await failure(`${what}: not done after ${timeoutSeconds} s`, result.stdout, result.stderr, options.next);
  }
  if (result.exitCode === undefined) {
    throw new LabError(`${what}: ${program} could not be run (${result.shortMessage})`, options.next ?? `Install ${program}.`, 2);
  }
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

/** Runs a command that must succeed and returns its standard output. */
export async function run(program: string, args: string[], options: RunOptions): Promise<string> {
  const result = await attempt(program, args, options);
  if (result.exitCode !== 0) {
    throw await failure(`${options.what}: ${program} ended with ${result.exitCode}`, result.stdout, result.stderr, options.next);
  }
  return result.stdout;
}

/** An error with the last lines of the output; all of it goes to a file that the error names. */
async function failure(message: string, stdout: string, stderr: string, next?: string): Promise<LabError> {
  const log = cachePath('logs', `${new Date().toISOString().replaceAll(/[:.]/g, '-')}-${process.pid}.log`);
  await mkdir(dirname(log), { recursive: true });
  await writeFile(log, `${message}\n\n--- standard output\n${stdout}\n--- standard error\n${stderr}\n`, { mode: 0o600 });
  const tail = (stderr.trim() || stdout.trim()).split('\n').slice(-8).map((line) => `    ${line}`);
  return new LabError([message, ...tail, `  full log: ${log}`].join('\n'), next ?? 'Look at the log; the same command may be given again.');
}
