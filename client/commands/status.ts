import { type Common, openContext } from '../context.js';
import { EXIT, Exit } from '../exit.js';
import { follow } from '../follow.js';
import { heldBy, readStatus } from '../maintenance.js';
import { statusLines } from '../render/status.js';

/** The newest maintenance of the cluster, running or ended. */
export async function status(options: Common): Promise<number> {
  const context = await openContext(options);
  try {
    const now = await readStatus(context.client, context.cluster);
    if (!now) {
      process.stdout.write(options.json ? 'null\n' : `No maintenance of ${context.cluster} yet. Start one: drydock upgrade --to VERSION\n`);
      return EXIT.done;
    }
    process.stdout.write(options.json ? `${JSON.stringify(now, null, 2)}\n` : `${statusLines(now).join('\n')}\n`);
    return EXIT.done;
  } finally {
    await context.close();
  }
}

export async function watch(options: Common): Promise<number> {
  const context = await openContext(options);
  try {
    if (!(await heldBy(context))) throw new Exit(EXIT.usage, `No maintenance of ${context.cluster} yet. Start one: drydock upgrade --to VERSION`);
    return await follow(context, options.json ?? false);
  } finally {
    await context.close();
  }
}
