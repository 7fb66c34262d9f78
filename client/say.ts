import { plain } from './render/plain.js';

/** Notes on what drydock does before the work itself; never on standard output. */
export const say = (text: string): void => {
  process.stderr.write(`drydock: ${plain(text, true)}\n`);
};
