import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { cachePath } from './paths.js';
import { sleep } from './wait.js';

/** A process and when it started: a pid alone may by now belong to something else. */
export interface ProcessId {
  pid: number;
  startTime: string;
}

/** The kernel's start time of a process (field 22 of its stat file), or undefined when there is none. */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19]; // the name in brackets may hold spaces, so count from behind it
  } catch {
    return undefined;
  }
}

export async function isAlive(process: ProcessId): Promise<boolean> {
  return (await startTimeOf(process.pid)) === process.startTime;
}

/** This process, for lock files. */
export async function self(): Promise<ProcessId> {
  return { pid: process.pid, startTime: (await startTimeOf(process.pid)) ?? '' };
}

const pidFile = (name: string): string => cachePath('run', `${name}.json`);
/** Where a detached process writes. */
export const logFile = (name: string): string => cachePath('run', `${name}.log`);

/** Starts a process that outlives this one, its output in a log, its identity in a file. */
export async function startDetached(name: string, program: string, args: string[]): Promise<ProcessId> {
  await mkdir(cachePath('run'), { recursive: true });
  const log = await open(logFile(name), 'a');
  const child = spawn(program, args, { detached: true, stdio: ['ignore', log.fd, log.fd], cwd: '/' });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  child.unref();
  await log.close();
  const pid = child.pid ?? 0;
  const id = { pid, startTime: (await startTimeOf(pid)) ?? '' };
  await writeFile(pidFile(name), JSON.stringify(id));
  return id;
}

/** The process that `startDetached` started under this name, while it lives. */
export async function findDetached(name: string): Promise<ProcessId | undefined> {
  try {
    const id = JSON.parse(await readFile(pidFile(name), 'utf8')) as ProcessId;
    return (await isAlive(id)) ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Ends it: SIGTERM, and SIGKILL after `graceSeconds`. Nothing happens when it is gone or never was ours. */
export async function stopDetached(name: string, graceSeconds: number): Promise<boolean> {
  const id = await findDetached(name);
  if (id) {
    process.kill(id.pid, 'SIGTERM');
    const end = Date.now() + graceSeconds * 1000;
    while ((await isAlive(id)) && Date.now() < end) await sleep(100);
    if (await isAlive(id)) process.kill(id.pid, 'SIGKILL');
  }
  await rm(pidFile(name), { force: true });
  return id !== undefined;
}
