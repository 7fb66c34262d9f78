/** Verdicts after a node: is it back, is the control plane whole, is the work as ready as before? Each with its reason, either way. */
import type { ApiNodeFacts, ComponentFacts, EtcdMemberFacts } from './facts.js';
import { compareVersions, formatVersion, parseVersion, type Version } from './version.js';

export interface Health {
  readonly healthy: boolean;
  readonly why: string;
}

const well = (why: string): Health => ({ healthy: true, why });
const unwell = (why: string): Health => ({ healthy: false, why });

const runs = (text: string | undefined, version: Version): boolean => {
  const parsed = text === undefined ? undefined : parseVersion(text);
  return parsed !== undefined && compareVersions(parsed, version) === 0;
};

/** Ready alone is not enough: the old kubelet's Ready stands for up to the grace period after it stopped. */
export function nodeBack(node: ApiNodeFacts | undefined, version: Version): Health {
  if (!node) return unwell('the cluster has no such node');
  if (!runs(node.kubeletVersion, version)) return unwell(`the kubelet reports ${node.kubeletVersion}, wanted ${formatVersion(version)}`);
  if (!node.ready) return unwell(`not Ready: ${node.notReadyWhy ?? 'no reason given'}`);
  if (node.pressures.length > 0) return unwell(`reports ${node.pressures.join(', ')}`);
  return well(`Ready at ${formatVersion(version)}`);
}

const STATIC_PODS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

/** All three static pods of a control-plane node are there, ready, and at the version; etcd's only has to be ready. */
export function staticPodsBack(components: readonly ComponentFacts[], node: string, version: Version): Health {
  const here = components.filter((c) => c.node === node);
  for (const name of STATIC_PODS) {
    const pods = here.filter((c) => c.component === name);
    if (pods.length === 0) return unwell(`${name} does not run on ${node}`);
    const old = pods.find((c) => !runs(c.version, version));
    if (old) return unwell(`${name} on ${node} runs ${old.version ?? old.image}, wanted ${formatVersion(version)}`);
  }
  const unready = here.find((c) => !c.ready && (c.component === 'etcd' || STATIC_PODS.some((name) => name === c.component)));
  return unready ? unwell(`${unready.component} on ${node} is not ready`) : well(`static pods of ${node} at ${formatVersion(version)}`);
}

/** May one more member be away, now? For a cluster of one: is it there? Learners have no vote. */
export function etcdWhole(members: readonly EtcdMemberFacts[]): Health {
  const voters = members.filter((m) => !m.learner);
  const healthy = voters.filter((m) => m.healthy);
  const count = `${healthy.length} of ${voters.length} etcd members healthy`;
  if (voters.length === 0) return unwell('no etcd member is known');
  if (!voters.some((m) => m.leader)) return unwell(`${count}, no leader`);
  const ill = voters.filter((m) => !m.healthy).map((m) => m.name);
  return ill.length > 0 ? unwell(`${count}: ${ill.join(', ')} is not`) : well(count);
}

/** A majority of `count` voters. */
export const quorumOf = (count: number): number => Math.floor(count / 2) + 1;

/** What is left when one healthy member goes still is a majority; a cluster of one has none to lose. */
export const survivesLosingOne = (count: number, healthy: number): boolean => count <= 1 || healthy - 1 >= quorumOf(count);

/** Is etcd whole but for the member on `next`, and are the others a majority? `next` itself may be down already: it is tried again after a failure. */
export function etcdWithout(members: readonly EtcdMemberFacts[], next: string): Health {
  const learners = members.filter((m) => m.learner).map((m) => m.name);
  if (learners.length > 0) return unwell(`${learners.join(', ')} joins etcd just now (a learner has no vote)`);
  const alarmed = members.find((m) => m.alarms.length > 0);
  if (alarmed) return unwell(`etcd has the alarm ${alarmed.alarms.join(', ')} on ${alarmed.name}`);
  const others = members.filter((m) => m.name !== next);
  const ill = others.filter((m) => !m.healthy).map((m) => m.name);
  if (ill.length > 0) return unwell(`etcd member ${ill.join(', ')} is not healthy`);
  if (others.length < quorumOf(members.length)) return unwell(`without ${next}, ${others.length} of ${members.length} etcd members are no majority`);
  return well(`${others.length} of ${members.length} etcd members stay without ${next}`);
}

/** Ready pods by workload (`Deployment shop/web`), before and after. What was gone or scaled down on purpose is absent from one of them and not judged. */
export function workloadsBack(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): Health {
  const worse = Object.entries(before)
    .filter(([name, ready]) => (after[name] ?? ready) < ready)
    .map(([name, ready]) => `${name} has ${after[name]} of ${ready} ready`);
  if (worse.length === 0) return well(`${Object.keys(before).length} workloads as ready as before`);
  return unwell(worse.length > 5 ? `${worse.slice(0, 5).join('; ')}; and ${worse.length - 5} more` : worse.join('; '));
}
