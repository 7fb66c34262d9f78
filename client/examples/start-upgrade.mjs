// Starts an upgrade with nothing but the Temporal client, and follows it: node client/examples/start-upgrade.mjs CLUSTER VERSION [ADDRESS]
import { Client, Connection } from '@temporalio/client';

const [cluster = 'prod', to = '1.37', address = '127.0.0.1:7233'] = process.argv.slice(2);
const connection = await Connection.connect({ address });
const client = new Client({ connection });

const handle = await client.workflow.start('upgradeCluster', {
  taskQueue: 'drydock',
  workflowId: `maintenance/${cluster}`, // one maintenance a cluster: the server refuses a second
  workflowIdConflictPolicy: 'FAIL',
  args: [{ cluster, to }],
});
let shown = '';
const timer = setInterval(() => void show().catch((error) => console.error(error.message)), 1_000); // a query needs a worker: while there is none, it fails
async function show() {
  const { state, step, waitingFor, nodes } = await handle.query('status');
  const line = [state, waitingFor ?? step, ...nodes.map((node) => `${node.name}: ${node.state} ${node.step}`)].join(' | ');
  if (line !== shown) console.log((shown = line));
}
try {
  const { state, status } = await handle.result();
  console.log(`${state}: ${status.evictions} evictions, ${status.steps.length} steps`);
} catch (error) {
  console.error(`refused: ${error.cause?.type}: ${error.cause?.message}`); // nothing was changed
  process.exitCode = 3;
}
clearInterval(timer);
await connection.close();
