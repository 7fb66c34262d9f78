import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { temporalProgram } from '../../client/service/temporal-program.js';
import { cannotRun } from './cannot-run.js';
import { SEARCH_ATTRIBUTES, TASK_QUEUE } from '../../workflows/messages.js';

/** Skips the suite where the Temporal program is neither installed nor to be had; fetching it the first time may take minutes. */
export function needsTemporal(): void {
  before(async function () {
    this.timeout(20 * 60_000);
    await temporalProgram((text) => console.error(text)).catch((error: Error) => cannotRun(this, 'workflows, on a Temporal dev server', error.message));
  });
}

let environment: Promise<TestWorkflowEnvironment> | undefined;
let bundle: Promise<WorkflowBundle> | undefined;

/** One real Temporal dev server for all workflow tests, by the same program that drydock embeds. */
export function temporal(): Promise<TestWorkflowEnvironment> {
  environment ??= (async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const path = await temporalProgram((text) => console.error(text));
    return TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'existing-path', path }, extraArgs: SEARCH_ATTRIBUTES.flatMap((name) => ['--search-attribute', `${name}=Keyword`]), log: { format: 'pretty', level: 'error' } },
    });
  })();
  return environment;
}

export const workflowBundle = (): Promise<WorkflowBundle> =>
  (bundle ??= bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('../../workflows/index.js', import.meta.url)), logger: new DefaultLogger('ERROR') }));

/** Runs `test` while a worker with these activities polls. */
export async function withWorker<T>(activities: object, test: () => Promise<T>): Promise<T> {
  const env = await temporal();
  const worker = await Worker.create({ connection: env.nativeConnection, taskQueue: TASK_QUEUE, workflowBundle: await workflowBundle(), activities });
  return worker.runUntil(test);
}

after(async function () {
  this.timeout(30_000);
  if (environment) await (await environment).teardown();
});
