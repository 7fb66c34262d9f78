/** Safety questions without an answer: each is a refusal by its own name. */
import { type Check, ifUnknown, reachedHosts, refusal } from './check.js';
import { parseVersion } from '../version.js';

export const unknownAnswers: Check = ({ facts }) => [
  ...ifUnknown(facts.apiServer, 'unknown-api-server', 'The API server\'s version'),
  ...ifUnknown(facts.clusterUid, 'unknown-cluster-identity', 'The uid of the namespace kube-system, which identifies the cluster,'),
  ...ifUnknown(facts.kubeadm, 'unknown-kubeadm-config', 'The ConfigMap kubeadm-config'),
  ...ifUnknown(facts.components, 'unknown-components', 'The control-plane pods'),
  ...ifUnknown(facts.etcd, 'unknown-etcd', 'The state of etcd'),
  ...ifUnknown(facts.budgets, 'unknown-budgets', 'The disruption budgets'),
  ...ifUnknown(facts.pods, 'unknown-pods', 'The pods'),
  ...ifUnknown(facts.deprecatedApis, 'unknown-deprecated-apis', 'The use of deprecated APIs'),
];

export const unknownOnHosts: Check = ({ facts }) =>
  reachedHosts(facts).flatMap(({ name, role, host }) => [
    ...(role === 'control-plane' ? ifUnknown(host.certificates, 'unknown-certificates', 'The certificates\' end dates', name) : []),
    ...(host.machineId === '' ? [refusal('unknown-machine', { node: name, message: `The machine id of ${name} could not be read` })] : []),
    ...(Number.isFinite(host.clockOffsetMs) ? [] : [refusal('unknown-clock', { node: name, message: `The clock of ${name} could not be read` })]),
    ...(host.freeBytes['/'] === undefined ? [refusal('unknown-disk', { node: name, message: `The free space of ${name} could not be read` })] : []),
  ]);

export const unreadableVersions: Check = ({ facts }) => {
  const answers = [
    ...(facts.apiServer.known ? [{ what: 'the API server', text: facts.apiServer.value, node: undefined }] : []),
    ...(facts.kubeadm.known ? [{ what: 'kubeadm-config', text: facts.kubeadm.value.version, node: undefined }] : []),
    ...facts.nodes.flatMap(({ name, api }) => (api ? [{ what: `the kubelet of ${name}`, text: api.kubeletVersion, node: name }] : [])),
  ];
  return answers
    .filter(({ text }) => parseVersion(text) === undefined)
    .map(({ what, text, node }) =>
      refusal('unknown-version', { ...(node === undefined ? {} : { node }), message: `The version of ${what} is not readable: "${text}"`, evidence: text }),
    );
};
