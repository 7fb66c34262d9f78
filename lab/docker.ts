import { readFile } from 'node:fs/promises';
import { attempt, run, type RunResult } from './run.js';

/** The label that every container and network of a cluster carries; its value is the cluster's name. */
export const LABEL = 'drydock.lab';

/** Runs docker; it must succeed. */
export const docker = (what: string, args: string[], timeoutSeconds = 60, input?: string): Promise<string> =>
  run('docker', args, { what, timeoutSeconds, ...(input === undefined ? {} : { input }) });

/** Runs docker and says how it ended. */
export const tryDocker = (args: string[], timeoutSeconds = 60): Promise<RunResult> =>
  attempt('docker', args, { what: `docker ${args[0] ?? ''}`, timeoutSeconds });

/** Runs a shell script in a node, as root, without ssh. */
export const inNode = (node: string, what: string, script: string, timeoutSeconds = 60): Promise<string> =>
  docker(`${node}: ${what}`, ['exec', '-i', node, 'bash', '-euo', 'pipefail', '-s'], timeoutSeconds, script);

export const hasImage = async (image: string): Promise<boolean> => (await tryDocker(['image', 'inspect', image])).exitCode === 0;

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Containers of one cluster, or of all. */
export async function containersOf(cluster?: string): Promise<string[]> {
  const filter = cluster === undefined ? LABEL : `${LABEL}=${cluster}`;
  return lines(await docker('containers of the lab', ['ps', '-aq', '--filter', `label=${filter}`]));
}

/** Names of the lab's networks, of one cluster or of all. */
export async function networksOf(cluster?: string): Promise<string[]> {
  const filter = cluster === undefined ? LABEL : `${LABEL}=${cluster}`;
  return lines(await docker('networks of the lab', ['network', 'ls', '--format', '{{.Name}}', '--filter', `label=${filter}`]));
}

/** Capabilities in the order of their kernel numbers, without those that Docker 20.10 does not know. */
const CAPABILITIES = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ'
).split(' ');

/** The names of the capabilities in a CapBnd mask of /proc/PID/status. */
export function capabilityNames(mask: string): string[] {
  const bits = BigInt(`0x${mask}`);
  return CAPABILITIES.filter((_, number) => (bits >> BigInt(number)) & 1n);
}

/**
 * What makes a container enough of a machine to boot. Not --privileged: that fails where this machine itself
 * lacks a capability ("unable to apply caps"), so each one that there is gets named.
 */
export async function machineOptions(): Promise<string[]> {
  const mask = /^CapBnd:\s*(\S+)/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return [
    ...capabilityNames(mask).flatMap((name) => ['--cap-add', name]),
    ...['seccomp=unconfined', 'apparmor=unconfined', 'systempaths=unconfined'].flatMap((option) => ['--security-opt', option]),
    '--device-cgroup-rule', 'a *:* rwm',
    '--device', '/dev/kmsg',
    '--cgroupns=private',
    '--tmpfs', '/run:exec,mode=755',
    '--tmpfs', '/tmp:exec',
    '-v', '/var/lib/containerd',
    '-v', '/var/lib/etcd',
    '-v', '/lib/modules:/lib/modules:ro',
  ];
}
