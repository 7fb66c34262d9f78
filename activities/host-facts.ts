import type { ClusterSpec, NodeSpec } from '../domain/cluster.js';
import type { HostAnswer } from '../domain/facts.js';
import { repositoryOf, repositoryPattern } from './commands/apt.js';
import { StepFailure } from './failure.js';
import { parseHostFacts } from './host/parse.js';
import { HOST_SCRIPT } from './host/script.js';
import type { Command, CommandResult, RemoteShell } from './ports/remote-shell.js';
import { cut, redact } from './redact.js';

export interface HostTarget {
  /** `1.37`: its repository is asked what it offers. */
  readonly minor?: string;
  /** `1.37.2`, absent when only a minor is known. */
  readonly version?: string;
}

// apt's own limits within the script end before this.
const TIMEOUT_MS = 240_000;

/**
 * What SSH tells about a node, by reads alone: the packages of the target minor are looked up beside apt's own lists. A node
 * that cannot be reached or does not answer in full is an answer as well; only a cancelled `signal` throws.
 */
export async function gatherHostFacts(shell: RemoteShell, cluster: ClusterSpec, node: NodeSpec, target: HostTarget = {}, signal?: AbortSignal): Promise<HostAnswer> {
  try {
    const options = signal ? { signal } : {};
    const result = await shell.run(cluster, node, factsCommand(cluster, target), { ...options, timeoutMs: TIMEOUT_MS });
    const clockOffsetMs = await clockOffset(shell, cluster, node, options);
    const pattern = patternOf(cluster);
    const host = parseHostFacts(result.stdout, {
      ...(pattern === undefined ? {} : { pattern }),
      repository: cluster.packages.repository,
      ...(target.minor === undefined ? {} : { version: target.version ?? target.minor }),
      clockOffsetMs,
    });
    return host && host.bootId !== '' ? { reached: true, host } : { reached: false, kind: 'CommandFailed', why: notWhole(node, result) };
  } catch (error) {
    if (error instanceof StepFailure) return { reached: false, kind: error.kind, why: error.message };
    throw error;
  }
}

/** The read-only script with its arguments; through the configured proxy, as the later installation goes. */
export function factsCommand(cluster: ClusterSpec, { minor }: HostTarget): Command {
  const { proxy, repository } = cluster.packages;
  const pattern = patternOf(cluster);
  const wanted = minor === undefined || pattern === undefined ? '' : repositoryOf(repository, minor);
  const script = ['sh', '-c', HOST_SCRIPT, 'drydock', pattern ?? '', wanted];
  return proxy === undefined
    ? { program: 'sh', args: script.slice(1) }
    : { program: 'env', args: [`http_proxy=${proxy}`, `https_proxy=${proxy}`, ...script], secrets: [proxy] };
}

/** Undefined for a repository without {minor}, which the configuration's own check refuses. */
function patternOf({ packages }: ClusterSpec): string | undefined {
  return packages.repository.includes('{minor}') ? repositoryPattern(packages.repository) : undefined;
}

/** Milliseconds that the node's clock is ahead of ours, taken against the middle of one short call. */
async function clockOffset(shell: RemoteShell, cluster: ClusterSpec, node: NodeSpec, options: { signal?: AbortSignal }): Promise<number> {
  const before = Date.now();
  const { stdout } = await shell.run(cluster, node, { program: 'date', args: ['+%s%N'] }, { ...options, timeoutMs: 30_000, asRoot: false });
  const middle = (before + Date.now()) / 2;
  return Math.round(Number(stdout.trim()) / 1e6 - middle);
}

function notWhole(node: NodeSpec, result: CommandResult): string {
  const said = cut(redact(result.stderr.trim()), 300);
  return `${node.name} did not answer all questions (exit code ${result.exitCode ?? result.signal ?? 'none'})${said === '' ? '' : `: ${said}`}.`;
}
