import type { RunStatus } from '../domain/status.js';
import type { Context } from './context.js';
import { EXIT, Exit } from './exit.js';
import { hasEnded, readStatus } from './maintenance.js';
import { statusLines, summaryLines } from './render/status.js';
import { plain } from './render/text.js';

const EVERY_MS = 1_000;
/** Every so many turns the server is asked as well whether the run is still open: a terminated one answers queries as before. */
const ASK_SERVER_EVERY = 5;

/** How a run that was followed ended, or that the follower left. */
export const exitOf = (status: RunStatus): number => ({ done: EXIT.done, failed: EXIT.decision, aborted: EXIT.aborted, running: EXIT.done, paused: EXIT.done, waiting: EXIT.decision })[status.state];

const needsDecision = (status: RunStatus): boolean => status.state === 'waiting' && (status.nodes.some((node) => node.error !== null && node.state === 'waiting') || (status.waitingFor?.startsWith('a decision') ?? false));

/**
 * Shows a maintenance until its end. On a terminal: a live line a node, and one Ctrl-C detaches. Elsewhere: a line at each change, and a run that stops for
 * a decision ends the command with exit code 4 (the maintenance itself goes on waiting).
 */
export async function follow(context: Context, json: boolean): Promise<number> {
  const live = process.stdout.isTTY && !json;
  const view = live ? await liveView() : json ? jsonView() : lineView();
  let detached = false;
  const onInterrupt = (): void => {
    detached = true;
  };
  process.on('SIGINT', onInterrupt);
  try {
    for (let turn = 0; ; turn += 1) {
      const status = await statusOrRevive(context, turn % ASK_SERVER_EVERY !== 0, (text) => view.note(text));
      if (status) view.show(status);
      if (detached) {
        view.close();
        process.stderr.write(`\nDetached; the maintenance of ${context.cluster} goes on.\nCome back: drydock watch · pause: drydock pause · stop: drydock abort\n`);
        return EXIT.done;
      }
      if (status && hasEnded(status)) {
        view.close();
        if (!json) process.stdout.write(`${summaryLines(status).join('\n')}\n`);
        return exitOf(status);
      }
      if (status && !live && needsDecision(status)) {
        view.close();
        process.stderr.write(`drydock: stopped and waiting: ${plain(status.waitingFor ?? '')}\n`);
        return EXIT.decision;
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  } finally {
    process.off('SIGINT', onInterrupt);
    view.close();
  }
}

/** A query needs a worker: while there is none it is started again, and the work goes on where it was. Throws the end of a run that left no result. */
async function statusOrRevive(context: Context, trust: boolean, note: (text: string) => void): Promise<RunStatus | undefined> {
  try {
    await context.revive();
    return await readStatus(context.client, context.cluster, 4_000, trust);
  } catch (error) {
    if (error instanceof Exit) throw error;
    note(`no answer from the worker yet (${(error as Error).message.split('\n')[0]})`);
    return undefined;
  }
}

interface View {
  show(status: RunStatus): void;
  note(text: string): void;
  close(): void;
}

async function liveView(): Promise<View> {
  const { createLogUpdate } = await import('log-update');
  const update = createLogUpdate(process.stdout, { showCursor: true });
  let last: RunStatus | undefined;
  const draw = (extra: string[]): void => update([...(last ? statusLines(last) : []), ...extra, '', 'Ctrl-C detaches; the work goes on.'].join('\n'));
  return {
    show: (status) => {
      last = status;
      draw([]);
    },
    note: (text) => draw(['', plain(text)]),
    close: () => update.done(),
  };
}

/** For pipes and logs: one line whenever a node's or the run's step changes. */
export function lineView(): View {
  const seen = new Map<string, string>();
  const put = (key: string, text: string): void => {
    if (seen.get(key) === text) return;
    seen.set(key, text);
    process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${plain(key)}: ${plain(text)}\n`);
  };
  return {
    show: (status) => {
      put(status.cluster, `${status.state}, ${status.step}${status.waitingFor ? `, waiting for ${status.waitingFor}` : ''}`);
      for (const node of status.nodes) if (node.state !== 'notStarted') put(node.name, `${node.state === 'running' ? '' : `${node.state}, `}${node.step}${node.error ? ` (${node.error.kind}: ${node.error.message})` : ''}`);
    },
    note: (text) => put('drydock', text),
    close: () => undefined,
  };
}

/** One JSON status a change, on one line. */
function jsonView(): View {
  let last = '';
  return {
    show: (status) => {
      const text = JSON.stringify(status);
      if (text !== last) process.stdout.write(`${text}\n`);
      last = text;
    },
    note: (text) => process.stderr.write(`drydock: ${plain(text)}\n`),
    close: () => undefined,
  };
}
