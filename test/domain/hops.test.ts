import assert from 'node:assert/strict';
import { pathTo } from '../../domain/hops.js';
import { resolveTarget, parseTarget, targetText, nextTarget } from '../../domain/target.js';
import { parseVersion } from '../../domain/version.js';
import { aCluster } from '../support/facts.js';

describe('hops', () => {
  const ROWS: readonly (readonly [from: string, to: string, path: string])[] = [
    ['1.36.3', '1.36.3', 'nothing'],
    ['1.36.3', '1.36', 'nothing'],
    ['1.36.3', '1.36.4', 'hops 1.36 patch'],
    ['1.36.3', '1.37', 'hops 1.37 minor'],
    ['1.36.3', '1.37.0', 'hops 1.37 minor'],
    ['1.35.4', '1.37.2', 'too-far 1.36,1.37 first 1.36'],
    ['1.10.13', '1.37.2', `too-far ${Array.from({ length: 27 }, (_, i) => `1.${11 + i}`).join(',')} first 1.11`],
    ['1.36.3', '1.36.2', 'downgrade'],
    ['1.36.3', '1.35', 'downgrade'],
    ['1.37.0-rc.0', '1.37.0', 'hops 1.37 patch'],
    ['1.36.3', '2.0', 'other-major'],
  ];
  for (const [from, to, wanted] of ROWS) {
    it(`${from} to ${to}: ${wanted}`, () => {
      const path = pathTo(parseVersion(from) ?? assert.fail(), parseTarget(to) ?? assert.fail());
      const text = path.kind === 'hops' ? `hops ${path.minors.join(',')} ${path.patchOnly ? 'patch' : 'minor'}` : path.kind === 'too-far' ? `too-far ${path.minors.join(',')} first ${path.first}` : path.kind;
      assert.equal(text, wanted);
    });
  }
});

describe('the target', () => {
  const offering = aCluster().offering('1.37.10-1.1', '1.37.9-2.1', '1.37.0-1.1');
  const resolved = (text: string, cluster = offering): string | undefined => {
    const target = resolveTarget(text, cluster.facts);
    return target && targetText(target);
  };

  it('is the newest patch that every node is offered', () => {
    assert.equal(resolved('1.37'), '1.37.10');
    assert.equal(resolved('v1.37'), '1.37.10');
    const some = offering.withHost('w2', { candidates: { known: true, value: { version: '1.37', kubeadm: ['1.37.9-2.1'], kubelet: ['1.37.9-2.1'], kubectl: ['1.37.9-2.1', '1.37.10-1.1'] } } });
    assert.equal(resolved('1.37', some), '1.37.9');
  });
  it('is never a pre-release by itself', () => {
    assert.equal(resolved('1.37', aCluster().offering('1.37.0-rc.1-1.1')), '1.37');
  });
  it('is what was said, with a patch', () => {
    assert.equal(resolved('1.37.2'), '1.37.2');
    assert.equal(resolved('v1.37.2'), '1.37.2');
  });
  it('may be no version at all', () => {
    for (const text of ['', 'latest', '1', '1.37.x', '1.37.2.1', '-1.37']) assert.equal(resolved(text), undefined, text);
  });
  it('is the next minor where there is one', () => {
    assert.equal(nextTarget(aCluster().facts), '1.37');
    assert.equal(nextTarget(aCluster().at('1.37.2').facts), undefined);
    assert.equal(nextTarget(aCluster().withUnknown('apiServer').withUnknown('components').facts), undefined);
  });
});
