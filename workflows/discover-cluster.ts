import { asked } from './activity-proxies.js';
import type { Discovered, DiscoverInput } from '../activities/discover.js';

/** Nodes, roles, addresses and host keys of a cluster that has no configuration file yet: for `init`. Changes nothing. */
export async function discoverCluster(input: DiscoverInput): Promise<Discovered> {
  return asked('ask the cluster and its hosts').discoverCluster(input);
}
