import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClusterSpec, isControlPlane, type NodeSpec } from '../domain/cluster.js';
import { etcdctlCommand, etcdutl } from './etcd-tool.js';
import { attended, type DetachedProgress } from './detached-step.js';
import { StepFailure } from './failure.js';
import type { RemoteShell } from './ports/remote-shell.js';

export interface SnapshotReport {
  readonly node: string;
  readonly nodeFile: string;
  /** In the operator's backup folder, on the worker's machine. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly revision: number;
  readonly etcdVersion: string;
  /** ISO 8601. */
  readonly takenAt: string;
}

interface Status {
  hash: number;
  revision: number;
  totalKey: number;
  totalSize: number;
}

/** 8 GiB, etcd's suggested most, at 5 MB/s. */
const SAVE_SECONDS = 1800;

/**
 * Takes a snapshot on a control-plane node, verifies it (etcd's own sha256 tail, `etcdutl snapshot status`, its revision against the live one before it
 * was taken), and copies it to the backup folder with the sha256 compared. Throws StepFailure SnapshotFailed or BackupFolder; nothing half-written is left
 * under the final name. `snapshot status` alone proves nothing: it does not look at the hash (reference: etcd's snapshot code).
 */
export async function snapshotEtcd(
  shell: RemoteShell,
  spec: ClusterSpec,
  { run, attempt }: { run: string; attempt: number },
  signal: AbortSignal,
  heartbeat: (progress: DetachedProgress) => void,
): Promise<SnapshotReport> {
  const node = spec.nodes.find(isControlPlane);
  if (!node) throw new StepFailure('SnapshotFailed', 'The configuration has no control-plane node.');
  await backupFolder(spec.backup.folder);
  const nodeFile = `/var/lib/drydock/snapshots/${spec.cluster}-${run}-${attempt}.db`;
  await must(shell, spec, node, ['mkdir', '-p', '-m', '0700', '/var/lib/drydock/snapshots']);
  const live = await liveRevision(shell, spec, node, `${nodeFile}.before`);
  const saved = await attended(
    shell,
    { cluster: spec, node, run, step: 'etcd-snapshot', attempt, command: etcdctlCommand(['snapshot', 'save', nodeFile], SAVE_SECONDS), description: 'drydock: etcdctl snapshot save' },
    { heartbeat, signal },
  );
  if (saved.outcome !== 'exited') throw new StepFailure('StepInterrupted', `The snapshot on ${node.name} was interrupted (${saved.why}).`, saved.output);
  if (saved.exitCode !== 0) throw new StepFailure('SnapshotFailed', `etcdctl snapshot save on ${node.name} ended with ${saved.exitCode}.`, saved.output);

  await verifyTail(shell, spec, node, nodeFile);
  const status = JSON.parse(await etcdutl(shell, spec, node, ['snapshot', 'status', nodeFile, '-w', 'json'])) as Status;
  if (!(status.revision >= live.revision)) throw new StepFailure('SnapshotFailed', `The snapshot's revision ${status.revision} is older than ${live.revision}, which etcd had before it was taken.`);
  if (!(status.totalKey > 0)) throw new StepFailure('SnapshotFailed', `The snapshot holds ${status.totalKey} keys.`);
  const remote = (await must(shell, spec, node, ['sha256sum', nodeFile])).split(' ')[0] ?? '';

  // From the record on the node: a second attempt of this activity overwrites its own files and leaves no others.
  const takenAt = saved.endedAt;
  const file = join(spec.backup.folder, `${spec.cluster}-${takenAt.replace(/[:.]/g, '-')}-rev${status.revision}.db`);
  const copy = await shell.download(spec, node, nodeFile, `${file}.part`, { signal });
  if (copy.sha256 !== remote) throw new StepFailure('SnapshotFailed', `The copy's sha256 ${copy.sha256} differs from ${remote} on ${node.name}.`);
  const report = { node: node.name, nodeFile, file, bytes: copy.bytes, sha256: copy.sha256, revision: status.revision, etcdVersion: live.version, takenAt };
  // The metadata first: a snapshot that is listed always has it.
  await writeFile(`${file}.json`, `${JSON.stringify({ ...report, cluster: spec.cluster, run, keys: status.totalKey, crc: status.hash }, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.part`, file);
  await must(shell, spec, node, ['sh', '-c', KEEP_NEWEST, 'drydock', '/var/lib/drydock/snapshots', nodeFile]);
  return report;
}

/** The node keeps its five newest snapshots, this one always among them. */
const KEEP_NEWEST = `
cd "$1" && ls -1t -- *.db | tail -n +6 | while IFS= read -r file; do [ "$1/$file" = "$2" ] || rm -f -- "$file" "$file.before"; done
`;

async function backupFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StepFailure('BackupFolder', `backup.folder ${folder} cannot be made: ${(error as Error).message}`);
  }
}

/** Asked once and kept beside the snapshot: a worker that attaches to a snapshot which another began must not measure it by what was written since. */
const REMEMBER = `
set -eu
file=$1; shift
if [ ! -s "$file" ]; then
  "$@" >"$file.new"
  mv "$file.new" "$file"
fi
cat "$file"
`;

async function liveRevision(shell: RemoteShell, spec: ClusterSpec, node: NodeSpec, keptIn: string): Promise<{ revision: number; version: string }> {
  const ask = etcdctlCommand(['endpoint', 'status', '-w', 'json']);
  const text = await must(shell, spec, node, ['sh', '-c', REMEMBER, 'drydock', keptIn, ask.program, ...ask.args]);
  const [answer] = JSON.parse(text) as { Status: { header: { revision: number }; version: string } }[];
  if (!answer) throw new StepFailure('SnapshotFailed', `etcd on ${node.name} told no status.`);
  return { revision: answer.Status.header.revision, version: answer.Status.version };
}

/** The server appends the SHA-256 of what it streamed: all but the last 32 bytes must hash to the last 32. */
const TAIL = `
body=$(head -c -32 "$1" | sha256sum | cut -d' ' -f1)
tail=$(tail -c 32 "$1" | od -An -v -tx1 | tr -d ' \\n')
size=$(stat -c %s "$1")
if [ $((size % 512)) -ne 32 ]; then echo "no hash at its end ($size bytes)"; exit 1; fi
if [ "$body" != "$tail" ]; then echo "hash of the content $body, written at its end $tail"; exit 1; fi
`;

async function verifyTail(shell: RemoteShell, spec: ClusterSpec, node: NodeSpec, path: string): Promise<void> {
  const result = await shell.run(spec, node, { program: 'sh', args: ['-c', TAIL, 'drydock', path] }, { timeoutMs: 600_000 });
  if (result.exitCode !== 0) throw new StepFailure('SnapshotFailed', `The snapshot on ${node.name} is damaged: ${(result.stdout + result.stderr).trim()}.`);
}

async function must(shell: RemoteShell, spec: ClusterSpec, node: NodeSpec, [program = '', ...args]: readonly string[]): Promise<string> {
  const result = await shell.run(spec, node, { program, args }, { timeoutMs: 600_000 });
  if (result.exitCode !== 0) throw new StepFailure('SnapshotFailed', `${program} on ${node.name} ended with ${result.exitCode ?? result.signal}: ${result.stderr.trim()}`);
  return result.stdout;
}
