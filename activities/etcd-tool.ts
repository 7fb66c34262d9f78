import type { ClusterSpec, NodeSpec } from '../domain/cluster.js';
import { StepFailure } from './failure.js';
import type { Command, CommandResult, RemoteShell, RunOptions } from './ports/remote-shell.js';
import { cut, redact } from './redact.js';

const PKI = '/etc/kubernetes/pki/etcd';

/**
 * Runs etcdctl or etcdutl of the running etcd itself, out of its container's file system (/proc/PID/root): the versions fit each other by
 * construction, and nothing has to be installed. kubeadm's images hold static programs, so they run outside the container too.
 */
const RUN_TOOL = `
tool=$1; shift
for pid in $(pidof etcd); do
  program=/proc/$pid/root/usr/local/bin/$tool
  if [ -x "$program" ]; then exec "$program" "$@"; fi
done
if [ -z "$(pidof etcd)" ]; then echo "no etcd process runs on this node" >&2; exit 97; fi
if command -v "$tool" >/dev/null 2>&1; then exec "$tool" "$@"; fi
echo "$tool is neither in the etcd container nor in PATH" >&2; exit 96
`;

/** Output of one etcdctl call that must succeed. Throws StepFailure SnapshotFailed with the words of the tool. */
export async function etcdctl(shell: RemoteShell, cluster: ClusterSpec, node: NodeSpec, args: readonly string[], options?: RunOptions): Promise<string> {
  return must(node, await shell.run(cluster, node, etcdctlCommand(args), { timeoutMs: 60_000, ...options }));
}

/** `commandSeconds`: the tool's own limit; it has none by default and would wait for ever. */
export function etcdctlCommand(args: readonly string[], commandSeconds = 30): Command {
  const access = ['--endpoints=https://127.0.0.1:2379', `--cacert=${PKI}/ca.crt`, `--cert=${PKI}/healthcheck-client.crt`, `--key=${PKI}/healthcheck-client.key`, '--dial-timeout=5s', `--command-timeout=${commandSeconds}s`];
  return { program: 'sh', args: ['-c', RUN_TOOL, 'drydock', 'etcdctl', ...access, ...args] };
}

export function etcdutlCommand(args: readonly string[]): Command {
  return { program: 'sh', args: ['-c', RUN_TOOL, 'drydock', 'etcdutl', ...args] };
}

export async function etcdutl(shell: RemoteShell, cluster: ClusterSpec, node: NodeSpec, args: readonly string[], options?: RunOptions): Promise<string> {
  return must(node, await shell.run(cluster, node, etcdutlCommand(args), { timeoutMs: 300_000, ...options }));
}

function must(node: NodeSpec, result: CommandResult): string {
  if (result.exitCode === 0) return result.stdout;
  const output = cut(redact(`${result.stderr}${result.stdout}`), 4096);
  throw new StepFailure('SnapshotFailed', `etcd's tool on ${node.name} ended with ${result.exitCode ?? result.signal}: ${output.trim().split('\n').at(-1) ?? ''}`, output);
}

/** Ids are unsigned 64-bit numbers, which JSON.parse rounds: they become text first. Source: etcd's own JSON output, measured. */
export function parseEtcdJson<T>(text: string): T {
  return JSON.parse(text.replace(/"(member_id|cluster_id|leader|ID|memberID)":\s*(\d+)/g, '"$1":"$2"')) as T;
}
