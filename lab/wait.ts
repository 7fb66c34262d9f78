import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from './error.js';

export { sleep };

/** Asks `question` until it answers with something other than undefined; `lastSeen` explains the failure. */
export async function waitFor<T>(
  what: string,
  timeoutSeconds: number,
  question: () => Promise<T | undefined>,
  lastSeen: () => string = () => '',
): Promise<T> {
  const end = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    const answer = await question();
    if (answer !== undefined) return answer;
    if (Date.now() > end) {
      const seen = lastSeen();
      throw new LabError(`${what}: not so after ${timeoutSeconds} s${seen && `\n    ${seen}`}`, 'Look at the node with `drydock lab ssh NODE`.');
    }
    await sleep(250);
  }
}
