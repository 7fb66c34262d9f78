import assert from 'node:assert/strict';
import { escape, MARKDOWN_BYTES, statusMarkdown } from '../../domain/markdown.js';
import type { NodeStatus, RunStatus } from '../../domain/status.js';
import { nodeSummary, statusSummary, SUMMARY_BYTES } from '../../domain/summary.js';
import { utf8Length } from '../../domain/text.js';

/** Without the hard spaces that only make room between columns. */
const shown = (given: RunStatus): string => statusMarkdown(given).replaceAll('\u00a0', '');

const AT = '2026-11-23T12:03:44.000Z';
const node = (name: string, change: Partial<NodeStatus> = {}): NodeStatus => ({ name, role: 'worker', state: 'notStarted', step: '', since: null, from: '1.36.3', to: '1.37.2', error: null, ...change });
const status = (change: Partial<RunStatus> = {}): RunStatus => ({
  cluster: 'demo', run: 'r', operation: 'upgrade', state: 'running', step: 'workers', since: AT, waitingFor: null, blockers: [],
  nodes: [node('cp1', { role: 'control-plane', state: 'done', step: 'done', since: AT }), node('w1', { state: 'running', step: 'drain', since: AT })],
  from: '1.36.3', to: '1.37.2', digest: '0a1b2c3d4e5f', events: [], steps: [], evictions: 0, ...change,
});

describe('status as Markdown', () => {
  it('reads like this', () => {
    const text = shown(status({
      state: 'waiting', waitingFor: 'w1: shop/web-1 needs 2 healthy pods',
      blockers: [{ pod: 'shop/web-1', node: 'w1', reason: 'needs 2 healthy pods', budget: 'shop/web', since: AT }],
      events: [{ at: AT, name: 'NodeDone', node: 'cp1', message: 'cp1 is at 1.37.2' }],
    }));
    assert.equal(text, [
      '**demo** upgrade 1.36.3 → 1.37.2 · **waiting** · plan 0a1b2c3d4e5f',
      '', 'workers since 12:03:44 UTC · 1 of 2 nodes done, 1 running',
      '', '**Waits for** w1: shop/web-1 needs 2 healthy pods',
      '', '| pod that stays | node | why | since |', '| --- | --- | --- | --- |', '| shop/web-1 | w1 | needs 2 healthy pods | 12:03:44 |',
      '', '|  | node | role | step | since | version |', '| --- | --- | --- | --- | --- | --- |',
      '| ✓ | cp1 | control-plane | done | 12:03:44 | 1.36.3 → 1.37.2 |',
      '| ▶ | w1 | worker | drain | 12:03:44 | 1.36.3 → 1.37.2 |',
      '', '**Last events**', '', '- 12:03:44 NodeDone (cp1): cp1 is at 1.37.2',
    ].join('\n'));
  });

  it('says what a person can do about a failed node', () => {
    const text = shown(status({ state: 'waiting', nodes: [node('w1', { state: 'waiting', step: 'kubelet', error: { kind: 'NodeNotReady', message: 'not Ready after 10 min' } })] }));
    assert.match(text, /- \*\*w1\*\* kubelet: NodeNotReady\. not Ready after 10 min .* Choose: retry, skip or abort \(`drydock retry w1`\)\./);
  });

  it('shows the last eight events, newest first', () => {
    const events = Array.from({ length: 30 }, (_, i) => ({ at: AT, name: 'E', message: `number ${i}` }));
    const lines = shown(status({ events })).split('\n').filter((l) => l.includes('number'));
    assert.equal(lines.length, 8);
    assert.match(lines[0] ?? '', /number 29/);
  });

  for (const count of [0, 1, 100, 1000, 5000]) {
    it(`stays below the limit with ${count} nodes, and shows those in trouble`, () => {
      const nodes = Array.from({ length: count }, (_, i) => node(`node-with-a-rather-long-name-${i}.example.com`, { state: 'done', step: 'done', since: AT }));
      if (count > 1) nodes[count - 1] = node('the-bad-one', { state: 'failed', error: { kind: 'CommandFailed', message: '✗'.repeat(9000) } });
      const text = shown(status({ nodes }));
      const bytes = utf8Length(statusMarkdown(status({ nodes })));
      assert.ok(bytes <= MARKDOWN_BYTES, `${bytes}`);
      if (count > 1) assert.match(text, /\| ✗ \| the-bad-one/);
      if (count >= 1000) assert.match(text, /… and \d+ more nodes/);
    });
  }

  it('stays below the limit whatever others write', () => {
    const long = 'ä|*'.repeat(10_000);
    const blockers = Array.from({ length: 500 }, (_, i) => ({ pod: `${long}${i}`, node: long, reason: long, since: AT }));
    const nodes = Array.from({ length: 500 }, (_, i) => node(`${long}${i}`, { state: 'waiting', step: long, error: { kind: 'CommandFailed' as const, message: long } }));
    const events = Array.from({ length: 200 }, () => ({ at: AT, name: long, node: long, message: long }));
    const text = statusMarkdown(status({ cluster: long, operation: long, step: long, waitingFor: long, blockers, nodes, events }));
    assert.ok(utf8Length(text) <= 20_000, `${utf8Length(text)}`);
  });

  it('lets no text of others become Markdown', () => {
    assert.equal(escape('a|b'), 'a\\|b');
    assert.equal(escape('line\nbreak\u001b[31m'), 'line break \\[31m');
    assert.equal(escape('[x](http://y) <b> `c` *d* _e_'), '\\[x\\](http://y) \\<b\\> \\`c\\` \\*d\\* \\_e\\_');
  });
});

describe('one-liners', () => {
  it('say where a run is', () => {
    assert.equal(statusSummary(status()), 'demo: upgrade 1.36.3 → 1.37.2, running: workers; 1 of 2 nodes done, 1 running');
    assert.equal(statusSummary(status({ state: 'done' })), 'demo: upgrade 1.36.3 → 1.37.2, done; 1 of 2 nodes done, 1 running');
    assert.equal(statusSummary(status({ state: 'waiting', waitingFor: 'approval', from: null })), 'demo: upgrade to 1.37.2, waiting: waits for approval; 1 of 2 nodes done, 1 running');
    assert.equal(nodeSummary(node('w1', { step: 'drain', error: { kind: 'DrainBlocked', message: '' } })), 'w1 1.36.3 → 1.37.2: drain (DrainBlocked)');
  });
  it('fit Temporal\'s limit', () => {
    assert.ok(utf8Length(statusSummary(status({ step: '→'.repeat(500) }))) <= SUMMARY_BYTES);
  });
});
