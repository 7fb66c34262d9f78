import type { UpdateName } from '../../workflows/messages.js';
import { type Common, openContext } from '../context.js';
import { EXIT } from '../exit.js';
import { follow } from '../follow.js';
import { readStatus, tell } from '../maintenance.js';
import { plain } from '../render/plain.js';

interface Options extends Common {
  readonly why?: string;
  readonly detach?: boolean;
}

/** pause, resume, retry, skip, abort, approve: one update each, answered by the maintenance itself. */
export async function steer(update: UpdateName, args: readonly string[], options: Options): Promise<number> {
  const context = await openContext(options);
  try {
    const why = options.why === undefined ? {} : { why: options.why };
    const what = update === 'approve' ? { digest: args[0] ?? (await readStatus(context.client, context.cluster, 10_000, true))?.digest ?? '' } : args[0] === undefined ? {} : { node: args[0] };
    const said = await tell(context, update, { ...why, ...what });
    process.stdout.write(options.json ? `${JSON.stringify({ said })}\n` : `${plain(said, true)}\n`);
    if (update !== 'abort' || options.detach) return EXIT.done;
    return await follow(context, options.json ?? false);
  } finally {
    await context.close();
  }
}
