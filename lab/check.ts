// Says whether this machine can have lab clusters; ends with 2 when it cannot. For scripts.
import { dockerReady } from './ready.js';

const state = await dockerReady((line) => console.error(line));
if (!state.ok) {
  console.error(`the lab cannot run here: ${state.why}\n  next: ${state.next}`);
  process.exitCode = 2;
}
