/** What a check is: a small pure function from what was seen to findings. */
import type { ClusterSpec, Role } from '../cluster.js';
import type { Answer, ApiNodeFacts, ClusterFacts, HostFacts } from '../facts.js';
import type { Finding } from '../plan.js';
import type { Target } from '../target.js';
import { CHECKS, type CheckName } from './names.js';

export interface Scene {
  readonly facts: ClusterFacts;
  readonly spec: ClusterSpec;
}

export interface TargetScene extends Scene {
  readonly target: Target;
}

export type Check = (scene: Scene) => readonly Finding[];
export type TargetCheck = (scene: TargetScene) => readonly Finding[];

interface Detail {
  readonly node?: string;
  readonly message: string;
  readonly evidence?: string;
  readonly next?: string;
}

const finding = (severity: Finding['severity'], check: CheckName, detail: Detail): Finding => ({
  severity,
  check,
  ...(detail.node === undefined ? {} : { node: detail.node }),
  message: detail.message,
  evidence: detail.evidence ?? '',
  next: detail.next ?? CHECKS[check],
});

export const refusal = (check: CheckName, detail: Detail): Finding => finding('refusal', check, detail);
export const warning = (check: CheckName, detail: Detail): Finding => finding('warning', check, detail);

/** A question without an answer is a refusal: what is not known is not safe. */
export function ifUnknown(answer: Answer<unknown>, check: CheckName, question: string, node?: string): readonly Finding[] {
  if (answer.known) return [];
  return [refusal(check, { ...(node === undefined ? {} : { node }), message: `${question} could not be read`, evidence: answer.why })];
}

/** The answer's value, or the given stand-in: only for checks beside which another one refuses the unknown. */
export const valueOr = <T>(answer: Answer<T>, standIn: T): T => (answer.known ? answer.value : standIn);

export interface ReachedHost {
  readonly name: string;
  readonly role: Role;
  readonly host: HostFacts;
}

/** The hosts that answered; those that did not have a finding of their own. */
export const reachedHosts = (facts: ClusterFacts): readonly ReachedHost[] =>
  facts.nodes.flatMap(({ name, role, host }) => (host?.reached ? [{ name, role, host: host.host }] : []));

/** The nodes that the API server knows. */
export const apiNodes = (facts: ClusterFacts): readonly ApiNodeFacts[] => facts.nodes.flatMap(({ api }) => (api ? [api] : []));

/** `a, b, c and 4 more`: a message stays a sentence with a thousand nodes. */
export function listed(items: readonly string[], most = 8): string {
  if (items.length <= most) return items.join(', ');
  return `${items.slice(0, most).join(', ')} and ${items.length - most} more`;
}

export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
