import assert from 'node:assert/strict';
import { addCounts, countProbes } from '../../lab/probe.js';

const LOG = '100 START\n101 DONE web-a=10 dns=2\n103 FAIL web-a\n104 FAIL dns\n105 DONE web-a=10 dns=2\nbroken';

describe('counting probes', () => {
  it('counts tries and failures by target', () =>
    assert.deepEqual(countProbes(LOG, 0), { 'web-a': { probes: 20, failed: 1 }, dns: { probes: 4, failed: 1 } }));
  it('leaves out what was before', () =>
    assert.deepEqual(countProbes(LOG, 104), { dns: { probes: 2, failed: 1 }, 'web-a': { probes: 10, failed: 0 } }));
  it('adds probers up, and names a target that nobody probed', () => {
    const sum = addCounts([{ api: { probes: 10, failed: 1 } }, { api: { probes: 5, failed: 2 } }]);
    assert.deepEqual(sum['api'], { probes: 15, failed: 3 });
    assert.deepEqual(sum['web-b'], { probes: 0, failed: 0 });
  });
});
