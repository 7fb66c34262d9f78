// Says one thing to a running maintenance: node client/examples/steer.mjs CLUSTER pause|resume|retry|skip|abort|approve [NODE or DIGEST] [WHY]
import { Client, Connection, WorkflowUpdateFailedError } from '@temporalio/client';

const [cluster, update, about, why] = process.argv.slice(2);
const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
const handle = new Client({ connection }).workflow.getHandle(`maintenance/${cluster}`);

const say = { by: process.env.USER ?? 'somebody' }; // who says it is kept with the run
if (about) say[update === 'approve' ? 'digest' : 'node'] = about;
if (why) say.why = why;
try {
  console.log((await handle.executeUpdate(update, { args: [say] })).said);
} catch (error) {
  if (!(error instanceof WorkflowUpdateFailedError)) throw error;
  console.error(`refused: ${error.cause?.message}`); // the maintenance goes on as it was
  process.exitCode = 2;
}
await connection.close();
