import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterSpec, NodeSpec, SshSpec } from '../../domain/cluster.js';
import { aCluster, anSsh, aNode } from './cluster.js';

const PROGRAMS = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd'];

/** A real sshd on a port of 127.0.0.1, with its own keys in a folder of its own; runs as whoever runs the tests. */
export class Sshd {
  static readonly program = PROGRAMS.find((path) => existsSync(path));

  private constructor(readonly folder: string, readonly port: number, private child: ChildProcess, private readonly config: string) {}

  /** `keyTypes`: host keys to make, `ed25519` by default. `options`: further lines of sshd_config. */
  static async start({ keyTypes = ['ed25519'], options = [] as string[], folder = mkdtempSync(join(tmpdir(), 'drydock-sshd-')) } = {}): Promise<Sshd> {
    const port = await freePort();
    for (const type of keyTypes) if (!existsSync(join(folder, `host_${type}`))) keygen(type, join(folder, `host_${type}`));
    keygen('ed25519', join(folder, 'id'));
    writeFileSync(join(folder, 'authorized_keys'), readFileSync(join(folder, 'id.pub')), { mode: 0o600 });
    const config = join(folder, 'sshd_config');
    writeFileSync(config, [
      `ListenAddress 127.0.0.1:${port}`, ...keyTypes.map((type) => `HostKey ${join(folder, `host_${type}`)}`),
      `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`, 'StrictModes no', 'UsePAM no', 'PasswordAuthentication no',
      'KbdInteractiveAuthentication no', `PidFile ${join(folder, 'pid')}`, 'LogLevel VERBOSE', 'PermitRootLogin yes', ...options, '',
    ].join('\n'));
    const child = launch(config);
    const sshd = new Sshd(folder, port, child, config);
    await sshd.#listening();
    return sshd;
  }

  /** A line for known_hosts with the given names in front. */
  knownHostsLine(names = `[127.0.0.1]:${this.port}`, keyType = 'ed25519'): string {
    return `${names} ${readFileSync(join(this.folder, `host_${keyType}.pub`), 'utf8').split(' ').slice(0, 2).join(' ')}\n`;
  }

  /** A configuration and node that lead here; known_hosts holds our line unless `knownHosts` gives its text. */
  target(over: Partial<SshSpec> = {}, knownHosts = this.knownHostsLine()): { cluster: ClusterSpec; node: NodeSpec } {
    const file = join(this.folder, `known_hosts-${Math.random().toString(36).slice(2)}`);
    writeFileSync(file, knownHosts);
    const node = aNode('n1', { host: '127.0.0.1', port: this.port });
    const ssh = anSsh({ user: userInfo().username, identity: join(this.folder, 'id'), knownHosts: file, sudo: 'never', ...over });
    return { cluster: aCluster({ ssh, nodes: [node] }), node };
  }

  /** Kills the processes that serve connections; the listener lives on. */
  dropConnections(): void {
    for (const pid of childrenOf(this.child.pid)) killQuietly(pid);
  }

  /** Ends it with its connections; `restart` brings it back at the same port. */
  async stop(): Promise<void> {
    const sessions = childrenOf(this.child.pid);
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await ended;
    }
    sessions.forEach(killQuietly);
  }

  async restart(): Promise<void> {
    this.child = launch(this.config);
    await this.#listening();
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  log(): string {
    return existsSync(`${this.config}.log`) ? readFileSync(`${this.config}.log`, 'utf8') : '';
  }

  async #listening(): Promise<void> {
    for (let i = 0; i < 200; i++) {
      if (this.log().includes('Server listening')) return;
      if (this.child.exitCode !== null) break;
      await sleep(25);
    }
    throw new Error(`sshd did not start: ${this.log()}`);
  }
}

function launch(config: string): ChildProcess {
  if (Sshd.program === undefined) throw new Error('no sshd program');
  // sshd run by root insists on this folder for its privilege separation.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  rmSync(`${config}.log`, { force: true });
  return spawn(Sshd.program, ['-D', '-f', config, '-E', `${config}.log`], { stdio: 'ignore' });
}

export function keygen(type: string, file: string, passphrase = ''): void {
  rmSync(file, { force: true });
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', file]);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Direct children and their children: sshd keeps one process a connection, as root with an unprivileged one below. */
function childrenOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  const direct = execFileSync('ps', ['-eo', 'pid=,ppid=,comm='], { encoding: 'utf8' }).split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, name]) => Number(parent) === pid && name?.startsWith('sshd'))
    .map(([child]) => Number(child));
  return direct.flatMap((child) => [child, ...childrenOf(child)]);
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone by itself.
  }
}
