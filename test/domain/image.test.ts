import assert from 'node:assert/strict';
import { imageVersion, parseImage } from '../../domain/image.js';

describe('image names', () => {
  const ROWS: readonly (readonly [image: string, repository: string, name: string, tag: string | undefined, digest: string | undefined, version: string | undefined])[] = [
    ['registry.k8s.io/kube-apiserver:v1.36.3', 'registry.k8s.io/kube-apiserver', 'kube-apiserver', 'v1.36.3', undefined, '1.36.3'],
    ['reg:5000/etcd:3.6.8-0@sha256:ab12', 'reg:5000/etcd', 'etcd', '3.6.8-0', 'sha256:ab12', '3.6.8-0'],
    ['reg:5000/etcd', 'reg:5000/etcd', 'etcd', undefined, undefined, undefined],
    ['reg:5000/a/b/coredns@sha256:ab12', 'reg:5000/a/b/coredns', 'coredns', undefined, 'sha256:ab12', undefined],
    ['registry.k8s.io/coredns/coredns:v1.14.6', 'registry.k8s.io/coredns/coredns', 'coredns', 'v1.14.6', undefined, '1.14.6'],
    ['etcd:3.7.0-0', 'etcd', 'etcd', '3.7.0-0', undefined, '3.7.0-0'],
    ['[::1]:5000/pause:3.10.2', '[::1]:5000/pause', 'pause', '3.10.2', undefined, '3.10.2'],
    ['busybox:latest', 'busybox', 'busybox', 'latest', undefined, 'latest'],
    ['busybox:vault', 'busybox', 'busybox', 'vault', undefined, 'vault'],
    ['', '', '', undefined, undefined, undefined],
  ];
  for (const [image, repository, name, tag, digest, version] of ROWS) {
    it(image || '(empty)', () => {
      const parsed = parseImage(image);
      assert.deepEqual([parsed.repository, parsed.name, parsed.tag, parsed.digest], [repository, name, tag, digest]);
      assert.equal(imageVersion(image), version);
    });
  }
});
