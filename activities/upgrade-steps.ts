import type { ClusterSpec, NodeSpec } from '../domain/cluster.js';
import * as apt from './commands/apt.js';
import * as kubeadm from './commands/kubeadm.js';
import { restartKubeletCommand } from './commands/systemctl.js';
import { attended, type DetachedProgress, type DetachedResult, pruneRecords } from './detached-step.js';
import { StepFailure } from './failure.js';
import type { Command, RemoteShell } from './ports/remote-shell.js';

/** Names the record on the node: a step that was begun by an earlier attempt of the same number is attached to, never started again. */
export interface NodeStep {
  readonly run: string;
  readonly attempt: number;
}

interface Live {
  readonly signal: AbortSignal;
  readonly heartbeat: (progress: DetachedProgress) => void;
}

/** Runs one disruptive command as a detached step. Throws CommandFailed with its output, StepInterrupted when its end is not known, NodeSilent when the node does not answer any more. */
async function onNode(shell: RemoteShell, spec: ClusterSpec, node: NodeSpec, { run, attempt }: NodeStep, step: string, command: Command, live: Live): Promise<Extract<DetachedResult, { outcome: 'exited' }>> {
  const result = await attended(shell, { cluster: spec, node, run, step, attempt, command, description: `drydock ${step}` }, live);
  if (result.outcome === 'interrupted') {
    throw new StepFailure('StepInterrupted', `${step} on ${node.name} began at ${result.startedAt} and was cut short by ${result.why === 'reboot' ? 'a reboot' : 'a kill'}; what it got done is unknown.`, result.output);
  }
  if (result.exitCode !== 0) throw new StepFailure(apt.failureKindOf(result.output) ?? 'CommandFailed', `${step} on ${node.name} ended with exit code ${result.exitCode}.`, result.output);
  return result;
}

export interface PrepareInput extends NodeStep {
  readonly minor: string;
  readonly kubernetesVersion: string;
  readonly packages: { readonly kubeadm: string; readonly kubelet: string; readonly kubectl: string };
  readonly controlPlane: boolean;
}

/** Everything that needs the network, before the node is touched: packages and images. */
export async function prepareNode(shell: RemoteShell, spec: ClusterSpec, node: NodeSpec, input: PrepareInput, live: Live): Promise<void> {
  // A node that cannot tidy up can still be upgraded.
  await pruneRecords(shell, spec, node, input.run).catch(() => live.signal.throwIfAborted());
  const step = (name: string, command: Command) => onNode(shell, spec, node, input, name, command, live);
  await step('package-download', apt.download(spec.packages, input.minor, Object.entries(input.packages).map(([name, version]) => `${name}=${version}`)));
  await step('images', kubeadm.pullImages({ kubeadmPackage: `kubeadm_${input.packages.kubeadm}`, kubernetesVersion: input.kubernetesVersion, controlPlane: input.controlPlane }));
}

/** Points apt at the minor's repository, which is then the node's own, and installs exact versions. */
export async function installPackages(shell: RemoteShell, spec: ClusterSpec, node: NodeSpec, input: NodeStep & { step: string; minor: string; packages: readonly string[] }, live: Live): Promise<void> {
  await onNode(shell, spec, node, input, `${input.step}-repository`, apt.switchRepository(spec.packages, input.minor), live);
  await onNode(shell, spec, node, input, input.step, apt.install(spec.packages, input.packages), live);
}

/** `kubeadm upgrade apply` on the first control-plane node of a hop, `kubeadm upgrade node` on every other. */
export async function runKubeadmUpgrade(
  shell: RemoteShell,
  spec: ClusterSpec,
  node: NodeSpec,
  input: NodeStep & { command: 'apply' | 'node'; kubernetesVersion: string },
  live: Live,
): Promise<void> {
  const { ignorePreflightErrors, patches } = spec.upgrade;
  const options = { ignorePreflightErrors, ...(patches ? { patches } : {}) };
  const command = input.command === 'apply' ? kubeadm.upgradeApply(input.kubernetesVersion, options) : kubeadm.upgradeNode(options);
  await onNode(shell, spec, node, input, `kubeadm-upgrade-${input.command}`, command, live);
}

/** daemon-reload (the kubeadm package owns the kubelet's drop-in) and restart. Returns when it began, by the node's clock. */
export async function restartKubelet(shell: RemoteShell, spec: ClusterSpec, node: NodeSpec, input: NodeStep, live: Live): Promise<{ restartedAt: string }> {
  const { startedAt } = await onNode(shell, spec, node, input, 'kubelet-restart', restartKubeletCommand(), live);
  return { restartedAt: startedAt };
}
