import type { LabCluster } from './cluster.js';
import { docker, inNode } from './docker.js';

// Faults for tests. They go through Docker, not ssh, so that they also work on a node that ssh does not reach.

const RULE = 'INPUT -p tcp --dport 22 -m comment --comment drydock-lab-fault';

/** ssh to the node no longer answers: packets are dropped (a dead line), or refused at once (a stopped sshd). */
export async function dropSsh(cluster: LabCluster, node: string, how: 'drop' | 'refuse' = 'drop'): Promise<void> {
  await restoreSsh(cluster, node);
  const target = how === 'drop' ? 'DROP' : 'REJECT --reject-with tcp-reset';
  await inNode(node, 'cutting ssh', `iptables -w -I ${RULE} -j ${target}`);
}

/** Undoes `dropSsh`. */
export async function restoreSsh(_cluster: LabCluster, node: string): Promise<void> {
  await inNode(node, 'restoring ssh', `for target in DROP 'REJECT --reject-with tcp-reset'; do while iptables -w -D ${RULE} -j $target 2>/dev/null; do :; done; done`);
}

/** Kills every ssh session of the node in the middle; new ones are welcome. */
export async function killSshSessions(_cluster: LabCluster, node: string): Promise<void> {
  // "sshd: root@notty" and "sshd: root [priv]" are sessions; "sshd: /usr/sbin/sshd -D [listener]" must live.
  await inNode(node, 'killing ssh sessions', "pkill -KILL -f '^sshd: [a-z][a-z0-9_-]*([@ ]|$)' || true");
}

/** Freezes every process of the node: it is there and answers nothing. */
export const pauseNode = (_cluster: LabCluster, node: string): Promise<string> => docker(`pausing ${node}`, ['pause', node]);
export const unpauseNode = (_cluster: LabCluster, node: string): Promise<string> => docker(`unpausing ${node}`, ['unpause', node]);

/** Takes the node's power away; nothing is shut down. It stays off until `powerOn`. */
export const powerOff = (_cluster: LabCluster, node: string): Promise<string> => docker(`power off ${node}`, ['kill', node]);
export const powerOn = (_cluster: LabCluster, node: string): Promise<string> => docker(`power on ${node}`, ['start', node]);
