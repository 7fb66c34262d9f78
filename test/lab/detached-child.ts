/** Not a test: runs the step in DRYDOCK_TEST_STEP and prints its result, so that a test can kill this process. */
import { SshShell } from '../../activities/adapters/ssh-shell.js';
import { runDetached, type DetachedStep } from '../../activities/detached-step.js';

const shell = new SshShell();
const step = JSON.parse(process.env['DRYDOCK_TEST_STEP'] ?? '{}') as DetachedStep;
const result = await runDetached(shell, step, { heartbeat: () => {} });
console.log(JSON.stringify(result));
await shell.close();
