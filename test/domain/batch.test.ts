import assert from 'node:assert/strict';
import { inWaves, nextBatch, resolveMaxUnavailable, roomForMore } from '../../domain/batch.js';

describe('how many workers may be away', () => {
  const ROWS: readonly (readonly [text: string, workers: number, wanted: number | undefined])[] = [
    ['1', 5, 1], ['3', 5, 3], ['7', 5, 7], [' 2 ', 5, 2],
    ['10%', 5, 1], ['20%', 5, 1], ['40%', 5, 2], ['50%', 3, 1], ['50%', 4, 2], ['99%', 5, 4], ['100%', 5, 5], ['1%', 1000, 10], ['10%', 0, 1], ['33%', 3, 1], ['34%', 3, 1], ['67%', 3, 2],
    ['0', 5, undefined], ['0%', 5, undefined], ['101%', 5, undefined], ['-1', 5, undefined], ['1.5', 5, undefined], ['', 5, undefined], ['%', 5, undefined], ['all', 5, undefined],
  ];
  for (const [text, workers, wanted] of ROWS) {
    it(`"${text}" of ${workers} is ${wanted ?? 'refused'}`, () => assert.equal(resolveMaxUnavailable(text, workers), wanted));
  }
});

describe('room for more', () => {
  it('counts nodes in work and nodes away for any other reason, each once', () => {
    assert.equal(roomForMore({ maxUnavailable: 3, inWork: [], unavailable: [] }), 3);
    assert.equal(roomForMore({ maxUnavailable: 3, inWork: ['w1'], unavailable: ['w1', 'w2'] }), 1);
    assert.equal(roomForMore({ maxUnavailable: 1, inWork: [], unavailable: ['w9'] }), 0);
    assert.equal(roomForMore({ maxUnavailable: 1, inWork: ['w1'], unavailable: ['w2'] }), 0);
  });

  const pending = ['w1', 'w2', 'w3', 'w4'];
  it('starts the next nodes in order', () => {
    assert.deepEqual(nextBatch(pending, { maxUnavailable: 2, inWork: [], unavailable: [] }), ['w1', 'w2']);
    assert.deepEqual(nextBatch(pending, { maxUnavailable: 2, inWork: ['w0'], unavailable: [] }), ['w1']);
  });
  it('takes a node that is away already rather than another one', () => {
    assert.deepEqual(nextBatch(pending, { maxUnavailable: 1, inWork: [], unavailable: ['w3'] }), ['w3']);
    assert.deepEqual(nextBatch(pending, { maxUnavailable: 2, inWork: [], unavailable: ['w3'] }), ['w1', 'w3']);
  });
  it('never works on more than allowed at once', () => {
    assert.deepEqual(nextBatch(pending, { maxUnavailable: 1, inWork: [], unavailable: ['w1', 'w2'] }), ['w1']);
    assert.deepEqual(nextBatch(pending, { maxUnavailable: 1, inWork: ['w9'], unavailable: ['w1'] }), []);
  });
  it('waits while strangers are away', () => {
    assert.deepEqual(nextBatch(pending, { maxUnavailable: 1, inWork: [], unavailable: ['w9'] }), []);
  });

  it('splits into waves', () => {
    assert.deepEqual(inWaves([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
    assert.deepEqual(inWaves([], 2), []);
  });
});
