import assert from 'node:assert/strict';
import { COREDNS, ETCD, nearest, resolveVersion } from '../../lab/versions.js';

describe('versions of the lab', () => {
  it('a minor means its last known patch', () => assert.equal(resolveVersion('1.36'), '1.36.3'));
  it('an exact version is taken as it is, with or without v', () => assert.equal(resolveVersion('v1.36.1'), '1.36.1'));
  it('an unknown minor is refused and the known ones are named', () => assert.throws(() => resolveVersion('1.2'), { message: /1\.2/, exitCode: 2, next: /1\.36\.3/ }));
  it('nonsense is refused', () => assert.throws(() => resolveVersion('latest'), { exitCode: 2 }));
  it('the nearest patch of the same minor stands in', () => {
    assert.equal(nearest('3.6.8', ETCD), '3.6.8');
    assert.equal(nearest('3.6.10', ETCD), '3.6.11');
    assert.equal(nearest('1.14.2', COREDNS), '1.14.4');
    assert.equal(nearest('3.9.0', ETCD), '3.7.0');
  });
});
