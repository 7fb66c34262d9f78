// The bundle's entry: the workflows, nothing else.
export { discoverCluster } from './discover-cluster.js';
export { planClusterUpgrade } from './plan-upgrade.js';
export { upgradeCluster } from './upgrade-cluster.js';
export { upgradeNode } from './upgrade-node.js';
