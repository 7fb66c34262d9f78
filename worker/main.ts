import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, GracefulShutdownPeriodExpiredError, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from '../activities/index.js';
import { KubeClient } from '../activities/adapters/kube-client.js';
import { SshShell } from '../activities/adapters/ssh-shell.js';
import { FileClusterDirectory } from './cluster-files.js';

const BUNDLE = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));

const { values } = parseArgs({
  options: {
    /** Configuration file of a cluster; repeatable. */
    config: { type: 'string', multiple: true, default: [] },
    /** Folder with one pointer a cluster to its configuration file, kept by the command line (embedded worker). */
    registry: { type: 'string' },
    address: { type: 'string', default: '127.0.0.1:7233' },
    namespace: { type: 'string', default: 'default' },
    'task-queue': { type: 'string', default: 'drydock' },
    /** Written once the worker polls: {pid}. */
    'ready-file': { type: 'string' },
    /** The workflows to run: kept ones while a maintenance is open that began with them. */
    bundle: { type: 'string', default: BUNDLE },
    'tls-ca': { type: 'string' },
    'tls-cert': { type: 'string' },
    'tls-key': { type: 'string' },
    'tls-server-name': { type: 'string' },
    'api-key-file': { type: 'string' },
  },
});

Runtime.install({ logger: new DefaultLogger('INFO'), shutdownSignals: ['SIGTERM', 'SIGINT'] });
let polls = false;
// Before it polls there is nothing to end in order. Afterwards a second signal (Ctrl-C reaches the whole group, and is passed on as well) must not cut the end short.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => polls || process.exit(0));

const shell = new SshShell();
const activities = createActivities({ shell, kube: new KubeClient(shell), clusters: new FileClusterDirectory(values.config, values.registry) });

const worker = await Worker.create({
  connection: await connect(),
  namespace: values.namespace,
  taskQueue: values['task-queue'],
  workflowBundle: { codePath: values.bundle },
  activities,
  // A killed worker's tasks come to the next one as soon as the server may know: sticky tasks after 2 s, activities after their heartbeat.
  stickyQueueScheduleToStartTimeout: '2 seconds',
  maxHeartbeatThrottleInterval: '2 seconds',
  defaultHeartbeatThrottleInterval: '2 seconds',
  maxConcurrentActivityTaskExecutions: 200,
  maxCachedWorkflows: 200,
  workflowThreadPoolSize: 1,
  shutdownGraceTime: '5 seconds',
  // An activity that does not heed its cancellation must not hold the process: who stops it (service stop, a container's runtime) waits 8 to 10 s.
  shutdownForceTime: '7 seconds',
});
polls = true;
if (values['ready-file']) await publishReady(values['ready-file']);
try {
  await worker.run();
} catch (error) {
  if (!(error instanceof GracefulShutdownPeriodExpiredError)) throw error;
  // Its steps go on on the nodes, and the next worker attaches to them.
  process.exit(0);
}
await shell.close();

async function publishReady(path: string): Promise<void> {
  await writeFile(`${path}.${process.pid}`, JSON.stringify({ pid: process.pid }));
  await rename(`${path}.${process.pid}`, path);
}

/** The server may be starting at the same moment: it is waited for. */
async function connect(): Promise<NativeConnection> {
  const deadline = Date.now() + 60_000;
  const tls = await tlsOptions();
  const apiKey = values['api-key-file'] ? (await readFile(values['api-key-file'], 'utf8')).trim() : undefined;
  for (;;) {
    try {
      return await NativeConnection.connect({ address: values.address, ...(tls ? { tls } : {}), ...(apiKey ? { apiKey } : {}) });
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

async function tlsOptions() {
  const { 'tls-ca': ca, 'tls-cert': cert, 'tls-key': key, 'tls-server-name': serverName } = values;
  if (!ca && !cert && !serverName) return undefined;
  await Promise.all([ca, cert, key].filter((path) => path !== undefined).map((path) => stat(path)));
  return {
    ...(ca ? { serverRootCACertificate: await readFile(ca) } : {}),
    ...(cert && key ? { clientCertPair: { crt: await readFile(cert), key: await readFile(key) } } : {}),
    ...(serverName ? { serverNameOverride: serverName } : {}),
  };
}
