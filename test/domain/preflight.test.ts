import assert from 'node:assert/strict';
import { unknown } from '../../domain/facts.js';
import { CHECK_NAMES, CHECKS, type CheckName } from '../../domain/preflight/names.js';
import { aBudget, aCluster, aPod, type ClusterBuilder } from '../support/facts.js';

type Severity = 'refusal' | 'warning';
/** Given this cluster and this target, exactly this is found (by its message). */
type Row = readonly [given: string, cluster: ClusterBuilder, to: string, severity: Severity, check: CheckName, message: RegExp];

const ROWS: readonly Row[] = [
  // The target
  ['text that is no version', aCluster(), 'latest', 'refusal', 'bad-target', /"latest" is no Kubernetes version/],
  ['a minor from after this drydock', aCluster().at('1.37.2'), '1.38.0', 'refusal', 'unsupported-target', /knows the rules of Kubernetes 1\.15 to 1\.37, not of 1\.38/],
  ['a minor from before kubeadm upgrade node', aCluster().at('1.13.12'), '1.14.10', 'refusal', 'unsupported-target', /not of 1\.14/],
  ['a release candidate', aCluster().offering('1.37.0-rc.0-1.1'), '1.37.0-rc.0', 'refusal', 'pre-release-target', /1\.37\.0-rc\.0 is a pre-release/],
  ['1.30.0', aCluster().at('1.29.15').offering('1.30.0'), '1.30.0', 'refusal', 'known-bad-target', /overwrites the kubelet's configuration/],
  ['1.28.0 to 1.28.3', aCluster().at('1.28.0').offering('1.28.3'), '1.28.3', 'warning', 'known-bad-target', /etcd's pod/],
  ['a patch that is not the newest', aCluster().offering('1.37.2', '1.37.1'), '1.37.1', 'warning', 'older-patch', /1\.37\.1 is not the newest patch offered: 1\.37\.2 is/],
  ['a minor of which no patch is everywhere', aCluster().withHost('w2', { candidates: { known: true, value: { version: '1.37', kubeadm: [], kubelet: [], kubectl: [] } } }), '1.37', 'refusal', 'target-unresolved', /No patch of 1\.37 is offered on every node/],

  // Versions
  ['a patch below', aCluster(), '1.36.2', 'refusal', 'downgrade', /1\.36\.2 is older than the control plane's 1\.36\.3/],
  ['a minor below', aCluster(), '1.35', 'refusal', 'downgrade', /1\.35 is older than the control plane's 1\.36\.3/],
  ['a target below one of mixed API servers', aCluster().withControlPlanes(3).withControlPlaneAt('cp1', '1.37.2'), '1.37.1', 'refusal', 'downgrade', /1\.37\.1 is older than the API server at 1\.37\.2/],
  ['a target below one kubelet', aCluster().withKubelet('w1', '1.36.9'), '1.36.5', 'refusal', 'downgrade', /older than the kubelet of w1 at 1\.36\.9/],
  ['two minors at once', aCluster().at('1.35.4'), '1.37', 'refusal', 'skipped-minor', /1\.35\.4 → 1\.36 → 1\.37/],
  ['another major', aCluster(), '2.0.0', 'refusal', 'skipped-minor', /another major/],
  ['a kubelet two minors below', aCluster().withKubelet('w2', '1.35.4'), '1.37', 'refusal', 'skipped-minor', /The kubelet of w2 at 1\.35\.4 is 2 minors below 1\.37/],
  ['API servers two minors apart', aCluster().withControlPlanes(2).withControlPlaneAt('cp2', '1.34.1'), '1.36.3', 'refusal', 'api-server-skew', /at most 1 minor newer is allowed|at most 1 minor older is allowed/],
  ['a kubelet newer than its API server', aCluster().withKubelet('w1', '1.37.0'), '1.37', 'refusal', 'kubelet-skew', /kubelet 1\.37\.0 .* it may never be newer/],
  ['a kubelet too old for the target', aCluster().at('1.27.16').withKubelet('w1', '1.24.17'), '1.28', 'refusal', 'kubelet-skew', /at most 2 minors older/],
  ['a kube-proxy too old for the target', aCluster().withComponent('kube-proxy', 'w1', { version: '1.33.1' }), '1.37', 'refusal', 'kube-proxy-skew', /kube-proxy 1\.33\.1/],
  ['a kube-proxy newer than the API server', aCluster().withComponent('kube-proxy', 'w1', { version: '1.37.1' }), '1.37', 'refusal', 'kube-proxy-skew', /never be newer/],
  ['a scheduler newer than its API server', aCluster().withComponent('kube-scheduler', 'cp1', { version: '1.37.1' }), '1.37', 'refusal', 'controller-skew', /kube-scheduler 1\.37\.1/],
  ['a kubeadm-config that names another version', aCluster().withKubeadm({ version: '1.36.1' }), '1.37', 'refusal', 'kubeadm-config-version', /kubeadm-config says 1\.36\.1, the API servers run 1\.36\.3/],
  ['a kubeadm-config that kubeadm 1.37 cannot read', aCluster().withKubeadm({ apiVersion: 'kubeadm.k8s.io/v1beta3' }), '1.37', 'refusal', 'kubeadm-config-api', /up to 1\.36/],

  // The nodes
  ['a node of the file that the cluster has not', aCluster().missingInCluster('w2'), '1.37', 'refusal', 'node-not-in-cluster', /Node w2 of drydock\.yaml is not in the cluster/],
  ['a node of the cluster that the file has not', aCluster().missingInFile('w2'), '1.37', 'refusal', 'node-not-in-file', /Node w2 of the cluster is not in drydock\.yaml/],
  ['a worker that is a control plane', aCluster().withApi('w1', { role: 'control-plane' }), '1.37', 'refusal', 'role-mismatch', /w1 is a worker in drydock\.yaml and a control-plane in the cluster/],
  ['addresses of two nodes mixed up', aCluster().withHost('w1', { machineId: 'machine-w2' }), '1.37', 'refusal', 'wrong-host', /host of w1 .* is the machine of node w2/],
  ['the kubeconfig of another cluster', aCluster().withApi('cp1', { machineId: 'other' }), '1.37', 'refusal', 'wrong-cluster', /kubeconfig is of another cluster/],
  ['the worker on a node, by machine id', aCluster().withFacts({ workerMachineId: 'machine-cp1' }), '1.37', 'refusal', 'worker-in-cluster', /runs on node cp1/],
  ['Temporal on a node, by address', aCluster().withFacts({ workerAddresses: ['10.0.1.2'] }), '1.37', 'refusal', 'worker-in-cluster', /runs on node w2/],

  // Reaching the hosts
  ['a host without an answer', aCluster().withUnreached('w1', 'HostUnreachable'), '1.37', 'refusal', 'host-unreachable', /w1 \(host-w1\) could not be read by SSH/],
  ['a connection that drops', aCluster().withUnreached('w1', 'ConnectionLost'), '1.37', 'refusal', 'host-unreachable', /w1/],
  ['a host key nobody recorded', aCluster().withUnreached('w1', 'HostKeyUnknown'), '1.37', 'refusal', 'host-key-unknown', /w1/],
  ['another host key', aCluster().withUnreached('w1', 'HostKeyChanged'), '1.37', 'refusal', 'host-key-changed', /w1/],
  ['a key that is not let in', aCluster().withUnreached('w1', 'SshAuthentication'), '1.37', 'refusal', 'ssh-authentication', /w1/],
  ['a key file that cannot be read', aCluster().withUnreached('w1', 'SshKeyUnreadable'), '1.37', 'refusal', 'ssh-key-unreadable', /w1/],
  ['sudo that asks for a password', aCluster().withUnreached('w1', 'SudoPassword'), '1.37', 'refusal', 'sudo-password', /w1/],
  ['any other trouble with a host', aCluster().withUnreached('w1', 'CommandFailed'), '1.37', 'refusal', 'host-unreadable', /w1/],

  // Health
  ['a worker that is not ready', aCluster().withNotReady('w1'), '1.37', 'refusal', 'node-not-ready', /Node w1 is not Ready/],
  ['a full disk', aCluster().withApi('w1', { pressures: ['DiskPressure'] }), '1.37', 'refusal', 'node-pressure', /w1 reports DiskPressure/],
  ['a worker cordoned by somebody', aCluster().withCordoned('w1'), '1.37', 'warning', 'already-cordoned', /it stays cordoned/],
  ['a worker cordoned by an older run', aCluster().withCordoned('w1', 'run-7'), '1.37', 'warning', 'left-over-cordon', /drydock's run run-7/],
  ['one of three control planes cordoned by anyone', aCluster().withControlPlanes(3).withCordoned('cp2'), '1.37', 'refusal', 'control-plane-cordoned', /cp2 was cordoned by somebody/],
  ['an API server that is not ready', aCluster().withComponent('kube-apiserver', 'cp1', { ready: false }), '1.37', 'refusal', 'component-not-ready', /kube-apiserver on cp1 is not ready/],
  ['a kube-proxy that is not ready', aCluster().withComponent('kube-proxy', 'w1', { ready: false }), '1.37', 'warning', 'component-not-ready', /kube-proxy on w1 is not ready/],
  ['a control plane without scheduler', aCluster().withoutComponent('kube-scheduler', 'cp1'), '1.37', 'refusal', 'component-missing', /kube-scheduler does not run on control-plane node cp1/],
  ['an API server named by digest', aCluster().withComponent('kube-apiserver', 'cp1', { version: undefined, image: 'x@sha256:1' }), '1.37', 'refusal', 'unknown-component-version', /version of kube-apiserver cannot be told/],
  ['an API server tagged latest', aCluster().withComponent('kube-apiserver', 'cp1', { version: 'latest', image: 'x:latest' }), '1.37', 'refusal', 'unknown-component-version', /version of kube-apiserver cannot be told/],

  // etcd
  ['external etcd', aCluster().withEtcd({ topology: 'external' }), '1.37', 'refusal', 'external-etcd', /external etcd/],
  ['external etcd by kubeadm-config', aCluster().withKubeadm({ externalEtcd: true }), '1.37', 'refusal', 'external-etcd', /external etcd/],
  ['an ill member', aCluster().withControlPlanes(3).withMember('cp2', { healthy: false }), '1.37', 'refusal', 'etcd-unhealthy', /member cp2 is not healthy/],
  ['no majority without one more', aCluster().withControlPlanes(3).withMember('cp2', { healthy: false }), '1.37', 'refusal', 'etcd-quorum', /2 of 3 members healthy, 2 needed/],
  ['two members', aCluster().withControlPlanes(2), '1.37', 'refusal', 'etcd-quorum', /2 of 2 members healthy, 2 needed/],
  ['no leader', aCluster().withMember('cp1', { leader: false }), '1.37', 'refusal', 'etcd-no-leader', /No etcd member is the leader/],
  ['an alarm', aCluster().withMember('cp1', { alarms: ['NOSPACE'] }), '1.37', 'refusal', 'etcd-alarm', /NOSPACE/],
  ['a learner', aCluster().withControlPlanes(3).withMember('cp3', { learner: true }), '1.37', 'refusal', 'etcd-learner', /cp3 is still a learner/],
  ['etcd 3.5.24 before 1.34', aCluster().at('1.33.6').withEtcdAt('3.5.24'), '1.34', 'refusal', 'etcd-version-gate', /3\.5\.24 on cp1 is upgraded to 3\.6/],
  ['etcd 3.5.30 before 1.34', aCluster().at('1.33.6').withEtcdAt('3.5.30'), '1.34', 'warning', 'etcd-version-gate', /3\.5\.32/],
  ['etcd 3.6.8 before 1.37', aCluster().withEtcdAt('3.6.8'), '1.37', 'warning', 'etcd-version-gate', /3\.6\.11/],
  ['etcd 3.5 before 1.37', aCluster().withEtcdAt('3.5.32'), '1.37', 'refusal', 'etcd-version-gate', /would skip a minor/],
  ['members of different versions', aCluster().withControlPlanes(3).withMember('cp2', { version: '3.6.12' }), '1.37', 'warning', 'etcd-mixed-versions', /3\.6\.11, 3\.6\.12/],
  ['an experimental flag of etcd', aCluster().withEtcd({ flags: ['--experimental-initial-corrupt-check=true'] }), '1.37', 'refusal', 'etcd-experimental-flag', /does not start with --experimental-initial-corrupt-check=true/],
  ['the same in kubeadm-config', aCluster().withKubeadm({ extraArgs: { etcd: ['--experimental-peer-skip-client-san-verification=true'] } }), '1.37', 'refusal', 'etcd-experimental-flag', /peer-skip/],
  ['etcd near its quota', aCluster().withMember('cp1', { dbBytes: 1.9e9 }), '1.37', 'refusal', 'etcd-quota', /88% of its quota/],

  // Packages
  ['a node without apt', aCluster().withHost('w1', { packageManager: 'other', os: 'rocky 9' }), '1.37', 'refusal', 'package-manager', /w1 \(rocky 9\) has no apt/],
  ['a kubelet that is no package', aCluster().withHost('w1', { packages: { kubeadm: '1.36.3-1.1', held: [], audit: [] } }), '1.37', 'refusal', 'not-packaged', /kubelet is not installed from a package on w1/],
  ['no repository', aCluster().withHost('w1', { repositories: [] }), '1.37', 'refusal', 'repository-missing', /No file below \/etc\/apt on w1 names the repository https:\/\/pkgs\.k8s\.io/],
  ['the repository of a strange minor', aCluster().withHost('w1', { repositories: [{ file: '/etc/apt/x.list', line: 'deb', minor: '1.31' }] }), '1.37', 'warning', 'repository-minor', /1\.36 or 1\.37 was expected/],
  ['a version that one node is not offered', aCluster().withHost('w1', { candidates: { known: true, value: { version: '1.37.2', kubeadm: ['1.37.2-1.1'], kubelet: [], kubectl: ['1.37.2-1.1'] } } }), '1.37.2', 'refusal', 'candidate-missing', /does not offer kubelet 1\.37\.2 on w1/],
  ['a revision that is not offered', aCluster().withSpec({ packages: { repository: 'https://x/', revision: '9.9' } }), '1.37.2', 'refusal', 'candidate-missing', /1\.37\.2-9\.9/],
  ['a signing key that has ended', aCluster().withHost('w1', { repositories: [{ file: '/etc/apt/k8s.list', line: 'deb', minor: '1.36', keyExpires: '2026-11-22T00:00:00Z' }] }), '1.37', 'refusal', 'key-expired', /expired on 2026-11-22/],
  ['a signing key near its end', aCluster().withHost('w1', { repositories: [{ file: '/etc/apt/k8s.list', line: 'deb', minor: '1.36', keyExpires: '2026-12-10T12:00:00Z' }] }), '1.37', 'warning', 'key-expiring', /expires in 17 days/],
  ['half-configured packages', aCluster().withHost('w1', { packages: { kubeadm: '1.36.3-1.1', kubelet: '1.36.3-1.1', held: [], audit: ['kubelet'] } }), '1.37', 'warning', 'dpkg-audit', /half-configured/],
  ['a package run under way', aCluster().withHost('w1', { packageLockHolder: 'unattended-upgr (411)' }), '1.37', 'warning', 'package-lock', /unattended-upgr/],

  // Certificates
  ['a certificate that ends today', aCluster().withHost('cp1', { certificates: { known: true, value: [{ name: 'apiserver', expires: '2026-11-23T20:00:00Z', authority: false }] } }), '1.37', 'refusal', 'certificate-expired', /apiserver on cp1 expires on 2026-11-23/],
  ['an authority that ends this month', aCluster().withHost('cp1', { certificates: { known: true, value: [{ name: 'ca', expires: '2026-12-03T12:00:00Z', authority: true }] } }), '1.37', 'warning', 'certificate-expiring', /The authority ca on cp1 expires in 10 days/],

  // What the target no longer has
  ['a removed API that clients ask for', aCluster().withApiUse({}), '1.37', 'refusal', 'removed-api', /ipaddresses of networking\.k8s\.io\/v1beta1 is not served from 1\.37/],
  ['a removed API in a stored manifest', aCluster().withApiUse({ source: 'manifest shop/web' }), '1.37', 'warning', 'removed-api-stored', /ipaddresses/],
  ['a cAdvisor flag at 1.37', aCluster().withHost('w1', { kubeletFlags: ['--storage-driver-db=x'] }), '1.37', 'refusal', 'removed-kubelet-flag', /--storage-driver-db \(removed in 1\.37\)/],
  ['the pause image flag at 1.36', aCluster().at('1.35.4').withHost('w1', { kubeletFlags: ['--pod-infra-container-image=x'] }), '1.36', 'refusal', 'removed-kubelet-flag', /removed in 1\.35/],
  ['the pause image flag at 1.35, which kubeadm cleans', aCluster().at('1.34.3').withHost('w1', { kubeletFlags: ['--pod-infra-container-image=x'] }), '1.35', 'warning', 'removed-kubelet-flag', /kubeadm takes it out/],
  ['a cloud provider in the tree at 1.32', aCluster().at('1.31.14').withKubeadm({ extraArgs: { controllerManager: ['--cloud-provider=aws'] } }), '1.32', 'refusal', 'removed-flag', /--cloud-provider=aws/],
  ['--pod-eviction-timeout at 1.27', aCluster().at('1.26.15').withKubeadm({ extraArgs: { controllerManager: ['--pod-eviction-timeout=1m'] } }), '1.27', 'refusal', 'removed-flag', /without effect since 1\.13/],
  ['--pod-eviction-timeout before 1.27', aCluster().at('1.25.16').withKubeadm({ extraArgs: { controllerManager: ['--pod-eviction-timeout=1m'] } }), '1.26', 'warning', 'pod-eviction-timeout', /--pod-eviction-timeout=1m has no effect since 1\.13/],
  ['static pods of others at 1.34', aCluster().at('1.33.6').withHost('cp1', { manifests: ['etcd.yaml', 'kube-vip.yaml'] }), '1.34', 'warning', 'foreign-static-pod', /kube-vip\.yaml/],

  // The machines
  ['a full root on a control plane', aCluster().withHost('cp1', { freeBytes: { '/': 1.2e9 } }), '1.37', 'refusal', 'disk-space', /\/ on cp1 has 1\.1 GiB free, 1\.4 GiB is wanted/],
  ['a full root on a worker', aCluster().withHost('w1', { freeBytes: { '/': 1e9 } }), '1.37', 'refusal', 'disk-space', /2\.0 GiB is wanted/],
  ['more nodes than one run carries', aCluster().withWorkers(500), '1.37', 'refusal', 'too-many-nodes', /at most 500 nodes, and drydock\.yaml has 501/],
  ['clocks apart', aCluster().withHost('w1', { clockOffsetMs: 1500 }).withHost('w2', { clockOffsetMs: -1000 }), '1.37', 'refusal', 'clock-offset', /clocks of w2 and w1 are 2\.5 s apart/],
  ['all clocks away from the worker\'s', aCluster().withEveryHost({ clockOffsetMs: 5000 }), '1.37', 'warning', 'clock-offset', /5\.0 s apart/],
  ['cgroup v1 at 1.35', aCluster().at('1.34.3').withHost('w1', { cgroup: 'v1' }), '1.35', 'refusal', 'cgroup-v1', /w1 runs cgroup v1/],
  ['cgroup v1 allowed, kubeadm\'s check not ignored', aCluster().withHost('w1', { cgroup: 'v1', failCgroupV1: false }), '1.37', 'refusal', 'cgroup-v1-verification', /SystemVerification refuses/],
  ['the same at 1.36', aCluster().at('1.35.4').withHost('w1', { cgroup: 'v1', failCgroupV1: false }), '1.36', 'warning', 'cgroup-v1-verification', /may refuse/],
  ['containerd 1.7 at 1.36', aCluster().at('1.35.4').withApi('w1', { containerRuntime: 'containerd://1.7.28' }), '1.36', 'refusal', 'container-runtime', /2\.x is wanted/],
  ['containerd 1.7 within 1.36', aCluster().withApi('w1', { containerRuntime: 'containerd://1.7.28' }).offering('1.36.4'), '1.36', 'warning', 'container-runtime', /2\.x is wanted/],
  ['a reboot that waits', aCluster().withHost('w1', { rebootRequired: true }), '1.37', 'warning', 'reboot-pending', /w1 waits for a reboot/],

  // Drain
  ['a pod without controller', aCluster().withPods(aPod('bare', 'w1', { controller: undefined })), '1.37', 'refusal', 'unmanaged-pods', /w1 has 1 pod without a controller, which would not come back: shop\/bare/],
  ['a pod with emptyDir', aCluster().withPods(aPod('cache', 'w1', { emptyDir: true })), '1.37', 'refusal', 'emptydir-pods', /w1 has 1 pod with emptyDir data/],
  ['a pod whose DaemonSet is gone', aCluster().withPods(aPod('ds', 'w1', { daemonSet: true, daemonSetGone: true })), '1.37', 'refusal', 'orphan-daemonset-pods', /DaemonSet that does not exist any more/],
  ['a budget without room', aCluster().withPods(aPod('web', 'w1')).withBudget(aBudget('web', { web: 'w1' }, { disruptionsAllowed: 0, desiredHealthy: 1 })), '1.37', 'warning', 'budget-never-allows', /shop\/web can never allow an eviction/],
  ['a budget that nobody has seen', aCluster().withBudget(aBudget('web', { web: 'w1' }, { observed: false })), '1.37', 'warning', 'budget-unobserved', /has not been seen/],
  ['two budgets on one pod', aCluster().withBudget(aBudget('a', { web: 'w1' }), aBudget('b', { web: 'w1' })), '1.37', 'refusal', 'two-budgets', /Budgets shop\/a and shop\/b select the same pods/],
  ['a cluster of one node', aCluster().withWorkers(0), '1.37', 'warning', 'nowhere-to-drain', /No other node can take the pods of cp1/],
  ['kubelets in place over a minor', aCluster().withUpgrade({ workers: 'all-at-once' }), '1.37', 'warning', 'undrained-kubelet', /without a drain/],
  ['no worker may be away', aCluster().withUpgrade({ maxUnavailable: '0' }), '1.37', 'refusal', 'bad-max-unavailable', /"0"/],

  // Questions without an answer
  ['no version of the API server', aCluster().withUnknown('apiServer'), '1.37', 'refusal', 'unknown-api-server', /could not be read/],
  ['no identity', aCluster().withUnknown('clusterUid'), '1.37', 'refusal', 'unknown-cluster-identity', /could not be read/],
  ['no kubeadm-config', aCluster().withUnknown('kubeadm'), '1.37', 'refusal', 'unknown-kubeadm-config', /could not be read/],
  ['no control-plane pods', aCluster().withUnknown('components'), '1.37', 'refusal', 'unknown-components', /could not be read/],
  ['no etcd', aCluster().withUnknown('etcd'), '1.37', 'refusal', 'unknown-etcd', /could not be read/],
  ['an etcd without version', aCluster().withMember('cp1', { version: undefined }), '1.37', 'refusal', 'unknown-etcd', /version of etcd member cp1/],
  ['an etcd without members', aCluster().withEtcd({ members: [] }), '1.37', 'refusal', 'unknown-etcd', /no member/],
  ['no budgets', aCluster().withUnknown('budgets'), '1.37', 'refusal', 'unknown-budgets', /could not be read/],
  ['no pods', aCluster().withUnknown('pods'), '1.37', 'refusal', 'unknown-pods', /could not be read/],
  ['no deprecated APIs', aCluster().withUnknown('deprecatedApis'), '1.37', 'refusal', 'unknown-deprecated-apis', /could not be read/],
  ['no candidates on one node', aCluster().withHost('w1', { candidates: unknown('apt-cache timed out') }), '1.37', 'refusal', 'unknown-candidates', /repository of 1\.37 offers on w1/],
  ['no certificates on a control plane', aCluster().withHost('cp1', { certificates: unknown('no kubeadm') }), '1.37', 'refusal', 'unknown-certificates', /could not be read/],
  ['a certificate without end', aCluster().withHost('cp1', { certificates: { known: true, value: [{ name: 'ca', expires: '?', authority: true }] } }), '1.37', 'refusal', 'unknown-certificates', /no readable end/],
  ['no disk space', aCluster().withHost('w1', { freeBytes: {} }), '1.37', 'refusal', 'unknown-disk', /free space of w1/],
  ['no time of day', aCluster().withHost('w1', { clockOffsetMs: Number.NaN }), '1.37', 'refusal', 'unknown-clock', /clock of w1/],
  ['no machine id', aCluster().withHost('w1', { machineId: '' }), '1.37', 'refusal', 'unknown-machine', /machine id of w1/],
  ['a kubelet without version', aCluster().withApi('w1', { kubeletVersion: '' }), '1.37', 'refusal', 'unknown-version', /version of the kubelet of w1/],
];

describe('preflight', () => {
  for (const [given, cluster, to, severity, check, message] of ROWS) {
    it(`${given}: ${severity} ${check}`, () => {
      const found = cluster.findings(to);
      const match = found.find((f) => f.check === check && f.severity === severity && message.test(f.message));
      assert.ok(match, `found instead:\n${found.map((f) => `${f.severity} ${f.check}: ${f.message}`).join('\n')}`);
      assert.ok(match.next.length > 0);
    });
  }

  it('finds nothing in a fresh cluster, of one control plane or of three', () => {
    assert.deepEqual(aCluster().findings(), []);
    assert.deepEqual(aCluster().withControlPlanes(3).withWorkers(5).findings(), []);
  });

  it('says everything at once, in one fixed order', () => {
    const cluster = aCluster().at('1.35.4').withNotReady('w1').withUnreached('w2', 'SudoPassword').withHost('cp1', { cgroup: 'v1' });
    const checks = cluster.findings('1.37').filter((f) => f.severity === 'refusal').map((f) => f.check);
    assert.deepEqual(checks, ['sudo-password', 'node-not-ready', 'skipped-minor', 'skipped-minor', 'skipped-minor', 'skipped-minor', 'target-unresolved', 'cgroup-v1']);
  });

  it('judges the cluster even when the target is nonsense', () => {
    assert.deepEqual(aCluster().withNotReady('w1').findings('soon').map((f) => f.check), ['bad-target', 'node-not-ready']);
  });

  it('has a line in this table for every check', () => {
    const covered = new Set<CheckName>(ROWS.map((row) => row[4]));
    assert.deepEqual(CHECK_NAMES.filter((name) => !covered.has(name)), []);
  });

  it('has a next action of one or more sentences for every check', () => {
    for (const name of CHECK_NAMES) assert.match(CHECKS[name], /^[A-Z].*[.)]$/, name);
  });
});

describe('preflight lets pass', () => {
  const FINE: readonly (readonly [given: string, cluster: ClusterBuilder, to: string])[] = [
    ['a cluster that is there already', aCluster().at('1.37.2').offering('1.37.2'), '1.37.2'],
    ['a hop cut off on the only control plane', aCluster().withControlPlaneAt('cp1', '1.37.2').withFacts({ apiServer: { known: true, value: '1.37.2' } }), '1.37.2'],
    ['a hop cut off between control planes', aCluster().withControlPlanes(3).withDone('cp1', '1.37.2').withKubeadm({ version: '1.37.2' }), '1.37.2'],
    ['a hop cut off between workers', aCluster().withDone('cp1', '1.37.2').withFacts({ apiServer: { known: true, value: '1.37.2' } }).withKubeadm({ version: '1.37.2' }).withDone('w1', '1.37.2'), '1.37.2'],
    ['cgroup v1 with both switches set', aCluster().withEveryHost({ cgroup: 'v1', failCgroupV1: false }).withUpgrade({ ignorePreflightErrors: ['SystemVerification'] }), '1.37'],
    ['held kubeadm packages', aCluster().withHost('w1', { packages: { kubeadm: '1.36.3-1.1', kubelet: '1.36.3-1.1', kubectl: '1.36.3-1.1', held: ['kubelet', 'containerd'], audit: [] } }), '1.37'],
    ['pods the operator allows to lose', aCluster().withPods(aPod('bare', 'w1', { controller: undefined, emptyDir: true })).withDrain({ evictUnmanaged: true, deleteEmptyDirData: true }), '1.37'],
    ['finished, static and DaemonSet pods', aCluster().withPods(aPod('job', 'w1', { finished: true, emptyDir: true, controller: undefined }), aPod('etcd-cp1', 'cp1', { mirror: true }), aPod('ds', 'w1', { daemonSet: true, emptyDir: true })), '1.37'],
    ['pods on a node that is not drained', aCluster().withPods(aPod('bare', 'w1', { controller: undefined })).withUpgrade({ workers: 'all-at-once' }).offering('1.36.4'), '1.36'],
    ['an API that is removed later', aCluster().withApiUse({ removedIn: '1.38' }), '1.37'],
    ['a budget without room for now', aCluster().withBudget(aBudget('web', { a: 'w1', b: 'w2' }, { disruptionsAllowed: 0, currentHealthy: 1 })), '1.37'],
  ];
  for (const [given, cluster, to] of FINE) {
    it(given, () => {
      assert.deepEqual(cluster.findings(to).map((f) => `${f.severity} ${f.check}: ${f.message}`), []);
    });
  }
});
