/** The preflight: every check in the order in which its findings are shown. All are asked, always. */
import type { ClusterSpec } from '../cluster.js';
import type { ClusterFacts } from '../facts.js';
import type { Finding } from '../plan.js';
import type { Target } from '../target.js';
import { certificates } from './certificates.js';
import type { Check, TargetCheck } from './check.js';
import { batchSize, budgetsAllow, oneBudgetPerPod, podsMayGo, somewhereToGo, undrained } from './drain.js';
import { membersHealthy, majorityWithoutOne, noAlarms, noLearners, oneLeader, oneVersion, stackedOnly, withinQuota } from './etcd.js';
import { etcdVersionGate, experimentalFlags } from './etcd-version.js';
import { componentsPresent, componentsReady, componentVersions, cordons, nodesReady, noPressure } from './health.js';
import { hostsAnswer } from './hosts.js';
import { cgroups, clocks, containerRuntimes, diskSpace, reboots } from './machine.js';
import { nodesOfTheCluster, nodesOfTheFile, notTooMany, roles, sameMachines, workerOutside } from './nodes.js';
import { aptManaged, candidates, dpkgWhole, repositories, signingKeys } from './packages.js';
import { foreignStaticPods, podEvictionTimeout, removedApis, removedControllerManagerFlags, removedKubeletFlags } from './removals.js';
import { apiServerSkew, skewDuringHop, skewNow } from './skew.js';
import { unknownAnswers, unknownOnHosts, unreadableVersions } from './unknown.js';
import { kubeadmConfigApi, kubeadmConfigVersion, kubeletsOneStepUp, newestPatch, oneStepUp, targetKnown, targetReleased, targetResolved, targetSound } from './versions.js';

/** Asked of the cluster as it is. */
const OF_THE_CLUSTER: readonly Check[] = [
  hostsAnswer,
  nodesOfTheFile, nodesOfTheCluster, notTooMany, roles, sameMachines, workerOutside,
  unknownAnswers, unknownOnHosts, unreadableVersions,
  nodesReady, noPressure, cordons, componentsPresent, componentsReady, componentVersions,
  stackedOnly, membersHealthy, oneLeader, noAlarms, noLearners, majorityWithoutOne, oneVersion, withinQuota,
  apiServerSkew, skewNow,
  aptManaged, dpkgWhole, signingKeys,
  certificates,
  diskSpace, clocks, reboots,
  batchSize,
];

/** Asked of the way to the target. */
const OF_THE_TARGET: readonly TargetCheck[] = [
  targetKnown, targetReleased, targetSound, oneStepUp, kubeletsOneStepUp,
  targetResolved, newestPatch, candidates, repositories,
  kubeadmConfigVersion, kubeadmConfigApi, skewDuringHop,
  etcdVersionGate, experimentalFlags,
  removedApis, removedKubeletFlags, removedControllerManagerFlags, podEvictionTimeout, foreignStaticPods,
  cgroups, containerRuntimes,
  podsMayGo, budgetsAllow, oneBudgetPerPod, somewhereToGo, undrained,
];

/** Without a target only the cluster itself is judged (`drydock check` without --to). */
export function preflight(facts: ClusterFacts, target: Target | undefined, spec: ClusterSpec): readonly Finding[] {
  const ofTheCluster = OF_THE_CLUSTER.flatMap((check) => check({ facts, spec }));
  const ofTheTarget = target ? OF_THE_TARGET.flatMap((check) => check({ facts, spec, target })) : [];
  return [...ofTheCluster, ...ofTheTarget];
}
