// What tests, demo and bench use of the lab.
export type { LabCluster, LabNode, LabSpec } from './cluster.js';
export { labCluster, labList } from './cluster-files.js';
export { labDown, labDownAll } from './down.js';
export { dockerReady, type DockerState } from './ready.js';
export { LabError } from './error.js';
export type { OnProgress } from './progress.js';
export type { RunResult } from './run.js';
export { labSsh } from './ssh.js';
export { labUp } from './up.js';
export { labProbe, type ProbeCount, type ProbeReport } from './probe.js';
export { labWorkload } from './workload.js';
export * from './faults.js';
