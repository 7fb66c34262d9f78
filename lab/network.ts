import { docker, LABEL, tryDocker } from './docker.js';
import { LabError } from './error.js';
import type { LabNode } from './cluster.js';

/** Creates the cluster's own network, the first free 10.77.N.0/24, and returns its first three numbers. */
export async function createNetwork(cluster: string): Promise<string> {
  let last = '';
  for (let number = 1; number <= 250; number++) {
    // Docker refuses a subnet that overlaps another: its answer is the one that counts when two commands race.
    // The gateway is named, for Docker 20.10 tells it only then.
    // Not --internal: that kind drops the pods' addresses, which lie outside the subnet.
    const created = await tryDocker(['network', 'create', '--subnet', `10.77.${number}.0/24`, '--gateway', `10.77.${number}.1`, '--label', `${LABEL}=${cluster}`, `drydock-lab-${cluster}`]);
    if (created.exitCode === 0) return `10.77.${number}`;
    last = created.stderr.trim();
    if (!/overlap|in use|conflict/i.test(last)) break;
  }
  throw new LabError(`no network for ${cluster}: ${last}`, 'See `docker network ls`; `drydock lab down --all` removes the networks of the lab.', 2);
}

export const removeNetwork = (name: string): Promise<string> => docker(`removing network ${name}`, ['network', 'rm', name]);

/** The pod network of the node at this place in the list. */
export const podSubnet = (index: number): string => `10.244.${index}.0/24`;

/** What a node must know to reach the pods of all others: lines of subnet and next hop. */
export const routesFor = (nodes: LabNode[], self: LabNode): string =>
  nodes.map((node, index) => (node.name === self.name ? '' : `${podSubnet(index)} ${node.ip}\n`)).join('');

/** The CNI configuration of the node at this place: a bridge, addresses from its own subnet, no address translation. */
export const cniConfig = (index: number): string =>
  JSON.stringify({
    cniVersion: '1.0.0',
    name: 'lab',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: { type: 'host-local', ranges: [[{ subnet: podSubnet(index) }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
