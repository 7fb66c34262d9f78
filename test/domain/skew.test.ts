import assert from 'node:assert/strict';
import { configApiAllowed, kubeadmAllows, kubeadmKubeletLag } from '../../domain/kubeadm-policy.js';
import { apiServersAllowed, controllerAllowed, kubectlAllowed, kubeletAllowed, kubeProxyAllowed, kubeProxyBesideKubelet, type Verdict } from '../../domain/skew.js';
import type { Version } from '../../domain/version.js';

const v = (minor: number): Version => ({ major: 1, minor, patch: 0 });
const minorsAllowed = (judge: (minor: number) => Verdict): readonly number[] => Array.from({ length: 45 }, (_, minor) => minor).filter((minor) => judge(minor).allowed);

/** API server's minor, oldest kubelet and kube-proxy that may be with it. kubernetes.io "Version Skew Policy"; KEP-3935. */
const OLDEST: readonly (readonly [apiServer: number, oldest: number])[] = [
  [10, 8], [11, 9], [12, 10], [13, 11], [14, 12], [15, 13], [16, 14], [17, 15], [18, 16], [19, 17], [20, 18], [21, 19], [22, 20], [23, 21], [24, 22], [25, 23], [26, 24],
  [27, 25], [28, 25], [29, 26], [30, 27], [31, 28], [32, 29], [33, 30], [34, 31], [35, 32], [36, 33], [37, 34],
];

const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('version skew, 1.10 to 1.37', () => {
  for (const [apiServer, oldest] of OLDEST) {
    it(`API server 1.${apiServer}`, () => {
      assert.deepEqual(minorsAllowed((minor) => kubeletAllowed(v(minor), v(apiServer))), range(oldest, apiServer), 'kubelet');
      assert.deepEqual(minorsAllowed((minor) => kubeProxyAllowed(v(minor), v(apiServer))), range(oldest, apiServer), 'kube-proxy');
      assert.deepEqual(minorsAllowed((minor) => apiServersAllowed(v(minor), v(apiServer))), range(apiServer - 1, apiServer + 1), 'API servers');
      assert.deepEqual(minorsAllowed((minor) => controllerAllowed('kube-scheduler', v(minor), v(apiServer))), range(apiServer - 1, apiServer), 'scheduler');
      assert.deepEqual(minorsAllowed((minor) => kubectlAllowed(v(minor), v(apiServer))), range(apiServer - 1, apiServer + 1), 'kubectl');
    });
  }

  it('kube-proxy may be older or newer than the kubelet beside it', () => {
    assert.deepEqual(minorsAllowed((minor) => kubeProxyBesideKubelet(v(36), v(minor))), range(33, 39));
    assert.deepEqual(minorsAllowed((minor) => kubeProxyBesideKubelet(v(24), v(minor))), range(22, 26));
  });

  it('says the rule either way', () => {
    assert.equal(kubeletAllowed(v(37), v(36)).reason, 'kubelet 1.37.0 with kube-apiserver 1.36.0: it may never be newer');
    assert.equal(kubeletAllowed(v(24), v(27)).reason, 'kubelet 1.24.0 with kube-apiserver 1.27.0: at most 2 minors older is allowed');
    assert.equal(kubeletAllowed(v(25), v(28)).reason, 'kubelet 1.25.0 with kube-apiserver 1.28.0: within 3 minors older');
    assert.equal(apiServersAllowed(v(38), v(36)).reason, 'kube-apiserver 1.38.0 with kube-apiserver 1.36.0: at most 1 minor newer is allowed');
  });

  it('does not bridge majors', () => {
    assert.equal(kubeletAllowed({ major: 2, minor: 36, patch: 0 }, v(36)).allowed, false);
  });
});

describe('kubeadm\'s own policy', () => {
  it('goes up one minor, or within one, never down', () => {
    assert.deepEqual(minorsAllowed((minor) => kubeadmAllows(v(36), v(minor))), [36, 37]);
  });
  it('looked one minor back for kubelets before 1.29, three since', () => {
    assert.deepEqual([28, 29].map((minor) => kubeadmKubeletLag({ minor })), [1, 3]);
  });
  const LIFE: readonly (readonly [api: string, first: number, last: number])[] = [['v1alpha3', 12, 14], ['v1beta1', 13, 21], ['v1beta2', 15, 26], ['v1beta3', 22, 36]];
  for (const [api, first, last] of LIFE) {
    it(`reads ${api} from 1.${first} to 1.${last}`, () => {
      assert.deepEqual(minorsAllowed((minor) => configApiAllowed(`kubeadm.k8s.io/${api}`, minor)), range(first, last));
    });
  }
  it('reads v1beta4 from 1.31 on, and nothing that it does not know', () => {
    assert.deepEqual(minorsAllowed((minor) => configApiAllowed('kubeadm.k8s.io/v1beta4', minor)), range(31, 44));
    assert.equal(configApiAllowed('kubeadm.k8s.io/v9', 37).allowed, false);
  });
});
