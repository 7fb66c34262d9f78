import { readFile, writeFile } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { access, constants } from 'node:fs/promises';
import { LabError, reason } from './error.js';
import { logFile, findDetached, startDetached, stopDetached } from './processes.js';
import type { Progress } from './progress.js';
import { attempt, run } from './run.js';
import { sleep } from './wait.js';

/** Whether Docker can be used; if not, why, and what to do about it. */
export type DockerState = { ok: true } | { ok: false; why: string; next: string };

const isRoot = (): boolean => process.getuid?.() === 0;

/** The full path of a program in PATH (and in sbin, which a plain user's PATH may lack). */
export async function programPath(name: string): Promise<string | undefined> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    if (await access(`${folder}/${name}`, constants.X_OK).then(() => true, () => false)) return `${folder}/${name}`;
  }
  return undefined;
}

/** What `docker info` says, in a few words; `ok` is the only good answer. */
async function askDocker(): Promise<'ok' | 'no client' | 'denied' | 'no daemon'> {
  if (!(await programPath('docker'))) return 'no client';
  const answer = await attempt('docker', ['info', '--format', '{{.ServerVersion}}'], { what: 'docker info', timeoutSeconds: 20 });
  if (answer.exitCode === 0 && /^\d/.test(answer.stdout.trim())) return 'ok';
  return /permission denied/i.test(answer.stderr) ? 'denied' : 'no daemon';
}

/** Debian and Ubuntu, where apt installs what is missing. */
async function isDebian(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(release);
}

/** Installs what is missing of these (program: package) by apt. */
export async function installMissing(programs: Record<string, string>, progress: Progress): Promise<void> {
  const missing: string[] = [];
  for (const [program, name] of Object.entries(programs)) if (!(await programPath(program))) missing.push(name);
  if (missing.length === 0) return;
  const next = `Install ${missing.join(', ')} and try again.`;
  if (!isRoot() || !(await isDebian())) throw new LabError(`missing: ${missing.join(', ')}`, next, 2);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await progress.step(`installing ${missing.join(', ')} by apt`, async () => {
    await run('apt-get', ['update', '-qq'], { what: 'apt-get update', timeoutSeconds: 300, env, next });
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { what: 'apt-get install', timeoutSeconds: 900, env, next });
  });
}

/** Starts dockerd by hand, where no service manager does it, and waits until it answers. */
async function startDockerd(progress: Progress): Promise<void> {
  const program = (await programPath('dockerd')) ?? 'dockerd';
  await progress.step('starting dockerd', async () => {
    const id = await startDetached('dockerd', program, []);
    for (let tries = 0; tries < 120; tries++) {
      if ((await askDocker()) === 'ok') return;
      if (!(await findDetached('dockerd'))) break;
      await sleep(500);
    }
    const tail = (await readFile(logFile('dockerd'), 'utf8')).trim().split('\n').slice(-5).join('\n    ');
    throw new LabError(`dockerd (pid ${id.pid}) does not answer\n    ${tail}`, `See ${logFile('dockerd')}.`, 2);
  });
}

/** Whether Docker answers. As root on Debian or Ubuntu it is installed and started first if need be, and said so. */
export async function dockerReady(progress: Progress): Promise<DockerState> {
  if (process.platform !== 'linux') {
    return { ok: false, why: `the lab needs a Linux machine, this is ${process.platform}`, next: 'Run it in a Linux virtual machine with Docker, or use the model cluster.' };
  }
  const state = await askDocker();
  if (state === 'ok') return { ok: true };
  if (state === 'denied') {
    return { ok: false, why: 'Docker is there, but this user may not use its socket', next: 'Run `sudo usermod -aG docker $USER`, log in again, and try again.' };
  }
  if (!isRoot()) {
    return (await programPath('dockerd'))
      ? { ok: false, why: 'the Docker daemon does not run', next: 'Run `sudo systemctl start docker`, and try again.' }
      : { ok: false, why: 'Docker is not installed', next: 'Run `sudo apt-get install docker.io && sudo usermod -aG docker $USER`, log in again, and try again.' };
  }
  try {
    await installMissing({ dockerd: 'docker.io', docker: 'docker.io' }, progress);
    // Where systemd runs, apt has started the service, or systemctl can.
    await attempt('systemctl', ['start', 'docker'], { what: 'systemctl start docker', timeoutSeconds: 90 }).catch(() => undefined);
    if ((await askDocker()) !== 'ok') await startDockerd(progress);
    return { ok: true };
  } catch (error) {
    return { ok: false, why: reason(error), next: error instanceof LabError ? error.next : 'Install and start Docker, and try again.' };
  }
}

/** Throws unless Docker answers. */
export async function needDocker(progress: Progress): Promise<void> {
  const state = await dockerReady(progress);
  if (!state.ok) throw new LabError(state.why, state.next, 2);
}

const INOTIFY = '/proc/sys/fs/inotify/max_user_instances';

/** Each node takes some 20 inotify instances of the one root user: the kernel's default of 128 ends at 8 nodes. */
export async function raiseInotify(progress: Progress): Promise<void> {
  const now = Number(await readFile(INOTIFY, 'utf8').catch(() => '4096'));
  if (now >= 4096) return;
  const raised = await writeFile(INOTIFY, '4096').then(() => true, () => false);
  progress.say(
    raised
      ? `fs.inotify.max_user_instances raised from ${now} to 4096 until the next boot: each node takes about 20`
      : `fs.inotify.max_user_instances is ${now}, enough for ${Math.floor(now / 20)} nodes; for more: sudo sysctl -w fs.inotify.max_user_instances=4096`,
  );
}

/** Stops the dockerd that the lab itself started; any other is left alone. */
export const stopOwnDockerd = (): Promise<boolean> => stopDetached('dockerd', 30);
