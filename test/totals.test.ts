import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What scripts/totals.sh reads out of a suite's output. */
function totals(log: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'drydock-totals-'));
  try {
    writeFileSync(join(folder, 'log'), log);
    const { status, stdout } = spawnSync('sh', ['scripts/totals.sh', join(folder, 'log')], { encoding: 'utf8' });
    return status === 0 ? stdout.trim() : `exit ${status}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('scripts/totals.sh', () => {
  for (const [what, log, wanted] of [
    ["the closing line, whatever mocha's own lines say", '  3 passing (2s)\n  1 failing\n\n3 passed, 1 failed\n', '3 1 0'],
    ['skipped tests', '10 passed, 0 failed, 4 skipped\n', '10 0 4'],
    ['the last of several closing lines', '1 passed, 0 failed\n2 passed, 1 failed\n', '2 1 0'],
    ["mocha's lines, coloured, where there is no closing line", '\u001b[92m \u001b[0m\u001b[32m 12 passing\u001b[0m\u001b[90m (3m)\u001b[0m\n\u001b[36m  2 pending\u001b[0m\n\u001b[31m  1 failing\u001b[0m\n', '12 1 2'],
    ['not what a test prints in the middle of a line', 'saw 3 passed, 1 failed here\n', 'exit 1'],
    ['nothing of a suite that died', 'compiling\nKilled\n', 'exit 1'],
  ] as const) {
    it(`reads ${what}`, () => assert.equal(totals(log), wanted));
  }
});
