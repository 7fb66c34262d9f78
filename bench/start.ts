import { join } from 'node:path';
import { execa } from 'execa';
import { HOME, machine, median, table } from './support.js';

/** How long `drydock --help` takes from nothing, beside Node's own start, in turn. */
export async function benchStart(rounds = 20): Promise<{ json: object; text: string }> {
  const sides: Record<string, readonly [string, readonly string[]]> = {
    'node -e 0': [process.execPath, ['-e', '0']],
    'node dist/client/main.js --help': [process.execPath, [join(HOME, 'dist/client/main.js'), '--help']],
    './drydock --help': [join(HOME, 'drydock'), ['--help']],
  };
  const times: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, [program, args]] of Object.entries(sides)) {
      const began = performance.now();
      await execa(program, args);
      (times[name] ??= []).push(performance.now() - began);
    }
  }
  const rows = Object.entries(times).map(([name, all]) => ({ name, medianMs: Math.round(median(all)), leastMs: Math.round(Math.min(...all)), mostMs: Math.round(Math.max(...all)) }));
  return { json: { bench: 'start', rounds, machine: machine(), rows }, text: table([['', 'median ms', 'least', 'most'], ...rows.map(({ name, medianMs, leastMs, mostMs }) => [name, medianMs, leastMs, mostMs])]) };
}
