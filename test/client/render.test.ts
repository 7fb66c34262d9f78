import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { lineView } from '../../client/follow.js';
import { findingLines, planLines } from '../../client/render/plan.js';
import { phases, statusLines, summaryLines } from '../../client/render/status.js';
import { columns, duration, plain } from '../../client/render/text.js';
import { captured } from '../support/capture.js';
import { aPlan, planned } from '../support/fake-activities.js';
import { aNodeStatus, aRunStatus, SINCE } from '../support/status.js';

const NOW = Date.parse(SINCE) + 65_000;
const text = (lines: readonly string[]): string => stripVTControlCharacters(lines.join('\n'));
const EVIL = 'web\u001b[2J\u001b]0;owned\u0007\r\n\u009b31m\u0000end';
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;
/** Colours are ours; whatever else is a control character came from outside. */
// eslint-disable-next-line no-control-regex
const withoutColours = (lines: readonly string[]): string => lines.join('\n').replace(/\u001b\[\d+m/g, '');

describe('statusLines', () => {
  it('is a line a node, with its step and for how long', () => {
    const status = aRunStatus({ nodes: [aNodeStatus('cp1', { state: 'done', step: 'done' }), aNodeStatus('w1', { state: 'running', step: 'drain', since: SINCE }), aNodeStatus('w2')] });
    assert.equal(text(statusLines(status, NOW)), [
      'prod  upgrade 1.36.3 → 1.37.2  running  workers 1 min 05 s',
      '  ✓  cp1  control-plane  at 1.37.2',
      '  ▸  w1   worker         drain            1 min 05 s',
      '  ·  w2   worker         1.36.3 → 1.37.2',
    ].join('\n'));
  });

  it('names what blocks a drain, by pod, reason and budget', () => {
    const blockers = [{ pod: 'shop/web-1', node: 'w1', reason: 'needs 2 healthy pods', budget: 'shop/web', since: SINCE }];
    const lines = text(statusLines(aRunStatus({ state: 'waiting', blockers, nodes: [aNodeStatus('w1', { state: 'waiting', step: 'drain', since: SINCE })] }), NOW));
    assert.match(lines, /w1: shop\/web-1 stays \(.*\): needs 2 healthy pods \[budget shop\/web\]/);
  });

  it('says after a failure what was seen and what can be typed', () => {
    const error = { kind: 'CommandFailed' as const, message: 'kubeadm ended with 1', output: 'line one\nline two' };
    const lines = text(statusLines(aRunStatus({ state: 'waiting', waitingFor: 'a decision', nodes: [aNodeStatus('w1', { state: 'waiting', step: 'kubeadm upgrade node', since: SINCE, error })] }), NOW));
    assert.match(lines, /w1: kubeadm upgrade node failed, CommandFailed\n {4}kubeadm ended with 1\n {4}line one\n {4}line two\n/);
    assert.match(lines, /drydock retry w1 · drydock skip w1 · drydock abort/);
  });

  it('says how to go on after a pause', () => assert.match(text(statusLines(aRunStatus({ state: 'paused' }), NOW)), /Go on with: drydock resume/));
});

describe('what comes from outside', () => {
  const hostile = aRunStatus({
    cluster: EVIL, operation: EVIL, step: EVIL, waitingFor: EVIL, state: 'waiting', from: EVIL, to: EVIL, blockers: [{ pod: EVIL, node: EVIL, reason: EVIL, budget: EVIL, since: SINCE }],
    nodes: [aNodeStatus(EVIL, { state: 'waiting', step: EVIL, from: EVIL, to: EVIL, since: SINCE, error: { kind: 'CommandFailed', message: EVIL, output: EVIL } }), aNodeStatus(EVIL, { from: EVIL, to: EVIL })],
    events: [{ at: SINCE, name: 'StepFailed', message: EVIL }],
    steps: [{ node: EVIL, step: EVIL, startedAt: SINCE, seconds: 3 }],
  });

  it('moves no cursor in the status', () => assert.doesNotMatch(withoutColours(statusLines(hostile, NOW)), CONTROL));
  it('moves no cursor in the summary', () => assert.doesNotMatch(withoutColours(summaryLines(hostile)), CONTROL));
  it('moves no cursor in the lines of a pipe, and makes no line of its own', async () => {
    const { stdout } = await captured(() => lineView().show(hostile));
    assert.doesNotMatch(stdout, CONTROL);
    assert.equal(stdout.trim().split('\n').length, 2, stdout);
  });
  it('moves no cursor in findings and plans', () => {
    const finding = { severity: 'refusal' as const, check: 'NodeNotReady', node: EVIL, message: EVIL, evidence: EVIL, next: EVIL };
    assert.doesNotMatch(withoutColours(findingLines([finding])), CONTROL);
    const plan = { ...aPlan(EVIL, [planned(EVIL, 'worker', { budgets: [EVIL], from: EVIL, to: EVIL })]), from: EVIL, to: EVIL };
    assert.doesNotMatch(withoutColours(planLines(plan)), CONTROL);
  });
  it('keeps its lines only where asked', () => {
    assert.equal(plain('a\nb\tc'), 'a?b?c');
    assert.equal(plain('a\nb\u001b[1mc', true), 'a\nb?[1mc');
    assert.equal(plain('größer → ✓'), 'größer → ✓');
  });
});

describe('planLines and findingLines', () => {
  it('tell order, versions, drains and budgets', () => {
    const lines = text(planLines(aPlan('prod', [planned('cp1', 'control-plane'), planned('w1', 'worker', { budgets: ['shop/web'], keepCordon: true }), planned('w2', 'worker', { done: true })])));
    assert.match(lines, /^Plan d1gest: prod 1\.36\.3 → 1\.37\.2, about 5 min 00 s/);
    assert.match(lines, /cp1\s+control-plane\s+1\.36\.3 → 1\.37\.2\s+kubeadm upgrade apply\s+drain 3 pods/);
    assert.match(lines, /w1 .*stays cordoned; budgets shop\/web/);
    assert.match(lines, /w2\s+worker\s+nothing to do/);
  });

  it('put refusals before warnings, each with evidence and next action', () => {
    const lines = text(findingLines([
      { severity: 'warning', check: 'DiskLow', node: 'w1', message: 'little room', evidence: '', next: 'make room' },
      { severity: 'refusal', check: 'NodeNotReady', node: 'w2', message: 'is not Ready', evidence: 'KubeletNotReady', next: 'repair it' },
    ]));
    assert.equal(lines, [
      'refused  NodeNotReady on w2: is not Ready', '         seen: KubeletNotReady', '         next: repair it', 'warning  DiskLow on w1: little room', '         next: make room',
    ].join('\n'));
  });
});

describe('the summary', () => {
  const steps = [
    { step: 'etcd snapshot', startedAt: '2026-11-23T11:50:00Z', seconds: 2 }, { node: 'w1', step: 'drain', startedAt: '2026-11-23T11:55:00Z', seconds: 10 },
    { node: 'w2', step: 'drain', startedAt: '2026-11-23T11:56:00Z', seconds: 20 },
  ];
  it('sums time by phase, longest first', () => assert.deepEqual(phases(aRunStatus({ steps })), [['drain', 30, 2], ['etcd snapshot', 2, 1]]));
  it('tells the whole time, evictions and nodes', () => {
    const lines = text(summaryLines(aRunStatus({ state: 'failed', steps, evictions: 7, nodes: [aNodeStatus('cp1', { state: 'done' }), aNodeStatus('w1', { state: 'skipped', step: 'wait for ready' })] })));
    assert.match(lines, /failed: prod upgrade 1\.36\.3 → 1\.37\.2 in 10 min 00 s, 7 evictions/);
    assert.match(lines, /w1\s+skipped\s+wait for ready/);
    assert.match(lines, /drain\s+30 s\s+2 nodes/);
  });
});

describe('small things', () => {
  it('durations', () => assert.deepEqual([0, 59.4, 61, 3_600, 7_384, -5].map(duration), ['0 s', '59 s', '1 min 01 s', '1 h 00 min', '2 h 03 min', '0 s']));
  it('columns', () => assert.deepEqual(columns([['a', 'bb'], ['ccc', 'd'], []]), ['a    bb', 'ccc  d', '']));
});
