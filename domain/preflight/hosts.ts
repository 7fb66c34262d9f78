/** Hosts that did not answer, and why. */
import type { FailureKind } from '../failure.js';
import { type Check, refusal } from './check.js';
import type { CheckName } from './names.js';

const BY_KIND: Partial<Record<FailureKind, CheckName>> = {
  HostUnreachable: 'host-unreachable',
  ConnectionLost: 'host-unreachable',
  HostKeyUnknown: 'host-key-unknown',
  HostKeyChanged: 'host-key-changed',
  SshAuthentication: 'ssh-authentication',
  SshKeyUnreadable: 'ssh-key-unreadable',
  SudoPassword: 'sudo-password',
};

export const hostsAnswer: Check = ({ facts, spec }) =>
  spec.nodes.flatMap((node) => {
    const answer = facts.nodes.find((n) => n.name === node.name)?.host;
    if (answer?.reached) return [];
    if (!answer) return [refusal('host-unreadable', { node: node.name, message: `Nothing was read from ${node.name} (${node.host})` })];
    const check = BY_KIND[answer.kind] ?? 'host-unreadable';
    return [refusal(check, { node: node.name, message: `${node.name} (${node.host}) could not be read by SSH: ${answer.why}`, evidence: answer.kind })];
  });
