/** The machines: room, clock, cgroups, container runtime. */
import type { Finding } from '../plan.js';
import { runtimeVerdict } from '../container-runtime.js';
import { minorText } from '../target.js';
import { type Check, reachedHosts, refusal, type TargetCheck, warning } from './check.js';

const GIB = 1024 ** 3;

/** kubeadm copies etcd's data beside itself, and the member and its snapshot need room as well. */
export const diskSpace: Check = ({ facts }) =>
  reachedHosts(facts).flatMap(({ name, role, host }) => {
    const wanted = role === 'control-plane' ? host.etcdBytes * 2 + GIB : 2 * GIB;
    return Object.entries(host.freeBytes)
      .filter(([, free]) => free < wanted)
      .map(([path, free]) =>
        refusal('disk-space', { node: name, message: `${path} on ${name} has ${gib(free)} free, ${gib(wanted)} is wanted${role === 'control-plane' ? ' (twice etcd\'s data and 1 GiB)' : ''}`, evidence: `${free} bytes` }),
      );
  });

const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;

const CLOCK_MS = 2000;

/** Between nodes it breaks leases, certificates and etcd; between them and the worker only our own times are wrong. */
export const clocks: Check = ({ facts }) => {
  const hosts = [...reachedHosts(facts)].sort((a, b) => a.host.clockOffsetMs - b.host.clockOffsetMs);
  const [slow, fast] = [hosts[0], hosts.at(-1)];
  if (!slow || !fast) return [];
  const apart = fast.host.clockOffsetMs - slow.host.clockOffsetMs;
  const evidence = hosts.map(({ name, host }) => `${name} ${host.clockOffsetMs} ms`).join(', ');
  if (apart > CLOCK_MS) return [refusal('clock-offset', { message: `The clocks of ${slow.name} and ${fast.name} are ${(apart / 1000).toFixed(1)} s apart; at most 2 s is wanted`, evidence })];
  const off = hosts.find(({ host }) => Math.abs(host.clockOffsetMs) > CLOCK_MS);
  return off ? [warning('clock-offset', { message: `The nodes' clocks and the worker's are ${(Math.abs(off.host.clockOffsetMs) / 1000).toFixed(1)} s apart`, evidence })] : [];
};

/** From 1.35 the kubelet does not start on cgroup v1 unless told to; kubeadm's own check is an error from 1.37 (release note 1.35 #134298, #134744). */
const FAIL_CGROUP_V1_SINCE = 35;
const VERIFICATION_FATAL_SINCE = 37;

export const cgroups: TargetCheck = ({ facts, spec, target }) => {
  if (target.minor < FAIL_CGROUP_V1_SINCE) return [];
  const ignored = spec.upgrade.ignorePreflightErrors.some((name) => ['systemverification', 'all'].includes(name.toLowerCase()));
  return reachedHosts(facts).filter(({ host }) => host.cgroup === 'v1').flatMap(({ name, host }): readonly Finding[] => {
    const evidence = `cgroup v1, failCgroupV1 ${host.failCgroupV1 === undefined ? 'not set' : String(host.failCgroupV1)}`;
    if (host.failCgroupV1 !== false) return [refusal('cgroup-v1', { node: name, message: `${name} runs cgroup v1, on which the kubelet of ${minorText(target)} does not start unless failCgroupV1 is false`, evidence })];
    if (ignored) return [];
    const detail = { node: name, message: `${name} runs cgroup v1, which kubeadm's check SystemVerification ${target.minor >= VERIFICATION_FATAL_SINCE ? 'refuses' : 'may refuse'}`, evidence };
    return [target.minor >= VERIFICATION_FATAL_SINCE ? refusal('cgroup-v1-verification', detail) : warning('cgroup-v1-verification', detail)];
  });
};

export const containerRuntimes: TargetCheck = ({ facts, target }) =>
  facts.nodes.flatMap(({ name, api }): readonly Finding[] => {
    if (!api) return [];
    const verdict = runtimeVerdict(api.containerRuntime, target.minor, api.kubeletVersion);
    if (verdict.level === 'fine') return [];
    return [(verdict.level === 'refuse' ? refusal : warning)('container-runtime', { node: name, message: `${name} runs ${api.containerRuntime}: ${verdict.why}`, evidence: api.containerRuntime })];
  });

export const reboots: Check = ({ facts }) =>
  reachedHosts(facts).filter(({ host }) => host.rebootRequired).map(({ name }) => warning('reboot-pending', { node: name, message: `${name} waits for a reboot`, evidence: '/var/run/reboot-required' }));
