// Mocha's own report, then which groups were not run and why, and last the totals alone on a line: `N passed, N failed`.
import Mocha from 'mocha';

/** Filled by cannotRun of test/support/cannot-run.ts: group by reason. */
const KEY = Symbol.for('drydock.cannotRun');

export default class Reporter extends Mocha.reporters.Spec {
  epilogue() {
    super.epilogue();
    const groups = [...(globalThis[KEY] ?? [])];
    if (process.env.DRYDOCK_NOT_RUN) groups.push(process.env.DRYDOCK_NOT_RUN.split(/: (.*)/s));
    if (groups.length > 0) {
      console.log('Not run:');
      for (const [group, why] of groups) console.log(`  ${group}: ${why.trim().split('\n').join('\n    ')}`);
      console.log();
    }
    // What failed before mocha began (the linter) counts as one.
    const failed = this.stats.failures + Number(process.env.DRYDOCK_FAILED_BEFORE ?? 0);
    const { passes, pending } = this.stats;
    if (failed > this.stats.failures) console.log('The linter found something; see the lines before the tests.\n');
    console.log(`${passes} passed, ${failed} failed${pending > 0 ? `, ${pending} skipped` : ''}`);
    if (passes + failed === 0) process.on('exit', () => (process.exitCode = 1));
  }
}
