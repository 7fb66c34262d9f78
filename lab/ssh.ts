import { mkdir, readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { exists } from './artefact.js';
import type { LabCluster } from './cluster.js';
import { usage } from './error.js';
import { withLock } from './lock.js';
import { cachePath } from './paths.js';
import type { Progress } from './progress.js';
import { attempt, run, type RunResult } from './run.js';

/** The private key that every node of every lab cluster trusts. */
export async function sshKey(progress: Progress): Promise<{ path: string; publicKey: string }> {
  const path = cachePath('keys', 'id_ed25519');
  await withLock('ssh-key', progress, async () => {
    if (await exists(`${path}.pub`)) return;
    await mkdir(cachePath('keys'), { recursive: true, mode: 0o700 });
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'drydock-lab', '-f', path], { what: 'ssh-keygen', timeoutSeconds: 20, next: 'Install openssh-client.' });
  });
  return { path, publicKey: await readFile(`${path}.pub`, 'utf8') };
}

function sshArgs(cluster: LabCluster, nodeName: string, user: string): string[] {
  const node = cluster.nodes.find(({ name }) => name === nodeName);
  if (!node) throw usage(`cluster ${cluster.name} has no node ${nodeName}`, `It has ${cluster.nodes.map(({ name }) => name).join(', ')}.`);
  const options = ['IdentitiesOnly=yes', 'BatchMode=yes', 'ConnectTimeout=5', 'StrictHostKeyChecking=yes', 'LogLevel=ERROR', `UserKnownHostsFile=${cluster.knownHosts}`, 'GlobalKnownHostsFile=/dev/null'];
  // -F none: a user's own ssh configuration must not send the lab elsewhere.
  return ['-F', 'none', '-i', cluster.sshKey, ...options.flatMap((option) => ['-o', option]), `${user}@${node.ip}`];
}

/** Runs a shell command on a node over ssh, its host key checked, and says how it ended. */
export const labSsh = (cluster: LabCluster, node: string, command: string, options: { user?: string; timeoutSeconds?: number } = {}): Promise<RunResult> =>
  attempt('ssh', [...sshArgs(cluster, node, options.user ?? 'root'), command], { what: `ssh ${node}`, timeoutSeconds: options.timeoutSeconds ?? 120 });

/** ssh with this terminal: a shell, or one command. Returns its exit code. */
export async function sshHere(cluster: LabCluster, node: string, command: string[]): Promise<number> {
  const result = await execa('ssh', [...sshArgs(cluster, node, 'root'), ...command], { stdio: 'inherit', reject: false });
  return result.exitCode ?? 1;
}
