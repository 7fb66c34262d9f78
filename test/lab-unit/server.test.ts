import assert from 'node:assert/strict';
import { readPath } from '../../lab/server.js';

describe('paths of the package server', () => {
  it('packages', () => {
    assert.deepEqual(readPath('/v1.36/./InRelease'), { kind: 'file', path: 'v1.36/./InRelease' });
    assert.deepEqual(readPath('/v1.36/kubeadm_1.36.3-1.1_amd64.deb'), { kind: 'file', path: 'v1.36/kubeadm_1.36.3-1.1_amd64.deb' });
  });
  it('images', () => {
    assert.deepEqual(readPath('/v2/coredns/coredns/manifests/v1.14.2?ns=registry.k8s.io'), { kind: 'manifest', name: 'coredns/coredns', reference: 'v1.14.2' });
    const digest = `sha256:${'a'.repeat(64)}`;
    assert.deepEqual(readPath(`/v2/etcd/blobs/${digest}`), { kind: 'blob', digest });
  });
  it('nothing outside', () => {
    for (const path of ['/../keys/id_ed25519', '/v1.36/../../keys/id', '/v1.36/%2e%2e/x', '/keys/id_ed25519', '/v2/../manifests/x', '/v1.36/', '/v2/a/blobs/sha256:..'])
      assert.deepEqual(readPath(path), { kind: 'nothing' }, path);
  });
  it('a path that cannot be decoded is nothing', () => assert.deepEqual(readPath('/%zz'), { kind: 'nothing' }));
});
