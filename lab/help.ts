import { DEFAULT_MINOR, KUBERNETES } from './versions.js';

const VERSIONS = Object.values(KUBERNETES).flat().join(', ');

/** What `-h` prints, by command; '' is the lab as a whole. */
export const HELP: Readonly<Record<string, string>> = {
  '': `Real, throw-away kubeadm clusters in Docker on this machine.

Usage: drydock lab COMMAND

  up NAME             make a cluster
  down NAME | --all   remove a cluster: containers, volumes, network, files
  list                clusters, their nodes and addresses
  ssh NODE [CMD...]   a shell or one command on a node, its host key checked
  workload NAME       put work on a cluster that maintenance can disturb, and probers that notice
  probe NAME          what the probers saw
  build VERSION...    build what clusters of these versions need, ahead of time
  kubeconfig NAME     the path of the cluster's kubeconfig
  kubectl NAME ARGS   kubectl of the cluster's version, pointed at it

Examples:
  drydock lab up demo --version 1.36 --with 1.37
  drydock lab ssh demo-w1 uptime
  drydock upgrade --config .lab/demo/drydock.yaml --to 1.37
  drydock lab down demo

Versions: ${VERSIONS}. Each command takes -h.`,
  up: `Makes a cluster and writes .lab/NAME/drydock.yaml and .lab/NAME/kubeconfig.

Usage: drydock lab up NAME [--version V] [--control-planes 1..3] [--workers N] [--with V]... [--json]

  --version V         a minor (its last known patch) or an exact version; default ${DEFAULT_MINOR}. Known: ${VERSIONS}
  --control-planes N  1 to 3; a load balancer stands before more than one; default 1
  --workers N         default 2
  --with V            also have the packages and images of this version, for upgrades to it; may be repeated
  --etcd stacked      where etcd runs; external is not there yet
  --json              print the cluster as JSON

Examples:
  drydock lab up demo --version 1.36 --with 1.37
  drydock lab up ha --version 1.35.4 --control-planes 3 --workers 2 --with 1.36 --with 1.37`,
  down: `Removes a cluster: containers, volumes, network, files. Built parts stay in the cache.
With the last cluster the package server is stopped, and dockerd where the lab started it.

Usage: drydock lab down NAME | --all

Examples:
  drydock lab down demo
  drydock lab down --all`,
  list: `Lists clusters, their nodes and addresses.

Usage: drydock lab list [--json]

Examples:
  drydock lab list
  drydock lab list --json`,
  ssh: `Opens a shell on a node as root, or runs one command there; the host key is checked. The exit code is the command's.

Usage: drydock lab ssh NODE [CMD...]

Examples:
  drydock lab ssh demo-cp1
  drydock lab ssh demo-w1 systemctl reboot`,
  workload: `Puts work on a cluster: three Deployments with budgets, a StatefulSet with volumes, a DaemonSet of probers, a pod with
files of its own and a bare pod, all in the namespace shop; and waits until it is available. Safe to repeat.

Usage: drydock lab workload NAME [--no-bare-pod]

Examples:
  drydock lab workload demo`,
  probe: `Counts what the probers saw: on each node web-a (each 0.2 s), web-b, DNS and the API (each second), and the API from outside.

Usage: drydock lab probe NAME [--since EPOCH] [--json]

Examples:
  start=$(date +%s); drydock lab ssh demo-w1 systemctl reboot; sleep 60; drydock lab probe demo --since $start
  drydock lab probe demo --json`,
  build: `Builds or fetches everything that clusters of these versions need, into the cache. Safe to repeat and to interrupt.

Usage: drydock lab build VERSION...

Examples:
  drydock lab build 1.36 1.37
  drydock lab build 1.36.1`,
  kubeconfig: `Prints the path of the cluster's kubeconfig.

Usage: drydock lab kubeconfig NAME

Examples:
  export KUBECONFIG=$(drydock lab kubeconfig demo)`,
  kubectl: `Runs kubectl of the cluster's version against it. The exit code is kubectl's.

Usage: drydock lab kubectl NAME ARGS...

Examples:
  drydock lab kubectl demo get nodes -o wide`,
};
