import assert from 'node:assert/strict';
import { parseRuntime, runtimeVerdict } from '../../domain/container-runtime.js';
import { digestOf } from '../../domain/digest.js';
import { FAILURES } from '../../domain/failure.js';
import { compareNames, inWorkOrder } from '../../domain/order.js';
import { parsePackageVersion, pickPackage } from '../../domain/packages.js';
import { bundledEtcdMinor } from '../../domain/preflight/etcd-version.js';
import { controllerManagerRemovals, kubeletRemovals } from '../../domain/removed-flags.js';
import { cut, cutBytes, oneLine, utf8Length } from '../../domain/text.js';

describe('package versions', () => {
  const ROWS: readonly (readonly [text: string, version: string, revision: string])[] = [
    ['1.37.2-1.1', '1.37.2', '1.1'], ['1.28.14-2.1', '1.28.14', '2.1'], ['1.12.0-00', '1.12.0', '00'], ['1:1.37.2-1.1', '1.37.2', '1.1'], ['1.37.2', '1.37.2', ''],
  ];
  for (const [text, version, revision] of ROWS) it(text, () => assert.deepEqual(parsePackageVersion(text), { version, revision }));

  it('are picked by version, newest revision first, or by revision', () => {
    const offers = ['1.37.2-2.1', '1.37.2-1.1', '1.37.1-1.1'];
    assert.equal(pickPackage(offers, '1.37.2'), '1.37.2-2.1');
    assert.equal(pickPackage(offers, '1.37.2', '1.1'), '1.37.2-1.1');
    assert.equal(pickPackage(offers, '1.37.2', '1'), undefined);
    assert.equal(pickPackage(offers, '1.37'), undefined);
  });
});

describe('names in order', () => {
  it('are counted as people count', () => {
    assert.deepEqual(['w10', 'w2', 'w1', 'w1a', 'node-b-3', 'node-a-11', 'node-a-2'].sort(compareNames), ['node-a-2', 'node-a-11', 'node-b-3', 'w1', 'w1a', 'w2', 'w10']);
  });
  it('differ even when they count alike', () => assert.notEqual(compareNames('w01', 'w1'), 0));
  it('put the control plane first, whatever is said', () => {
    const nodes = [{ name: 'w1', role: 'worker' as const }, { name: 'cp1', role: 'control-plane' as const }];
    assert.deepEqual(inWorkOrder(nodes, ['w1']).map((n) => n.name), ['cp1', 'w1']);
  });
});

describe('digests', () => {
  it('are the same for the same value, however it was built', () => {
    assert.equal(digestOf({ a: 1, b: [1, { c: 'x', d: undefined }] }), digestOf({ b: [1, { c: 'x' }], a: 1 }));
    assert.notEqual(digestOf([1, 2]), digestOf([2, 1]));
    assert.notEqual(digestOf({ a: '1' }), digestOf({ a: 1 }));
  });
  it('do not meet by chance among many alike', () => {
    const seen = new Set(Array.from({ length: 50_000 }, (_, i) => digestOf({ node: `w${i}` })));
    assert.equal(seen.size, 50_000);
  });
});

describe('kubelet flags that are gone', () => {
  const ROWS: readonly (readonly [flag: string, target: number, wanted: string])[] = [
    ['--network-plugin=cni', 23, ''], ['--network-plugin=cni', 24, '--network-plugin since 24'], ['--container-runtime=remote', 27, '--container-runtime since 27'],
    ['--container-runtime-endpoint=unix:///x', 37, ''], ['--keep-terminated-pod-volumes=true', 31, '--keep-terminated-pod-volumes since 31'], ['--cloud-config=/x', 34, '--cloud-config since 34'],
    ['--pod-infra-container-image=x', 34, ''], ['--pod-infra-container-image=x', 35, '--pod-infra-container-image since 35 cleaned'], ['--pod-infra-container-image=x', 36, '--pod-infra-container-image since 35'],
    ['--containerd=/run/x.sock', 37, '--containerd since 37'], ['--containerd-namespace k8s', 37, '--containerd-namespace since 37'], ['--event-storage-age-limit=x', 37, '--event-storage-age-limit since 37'],
    ['--storage-driver-host=x', 37, '--storage-driver-host since 37'], ['--boot-id-file=x', 36, ''], ['--node-ip=10.0.0.1', 37, ''],
  ];
  for (const [flag, target, wanted] of ROWS) {
    it(`${flag} at 1.${target}: ${wanted || 'fine'}`, () => {
      assert.equal(kubeletRemovals([flag], target).map((r) => `${r.flag} since ${r.since}${r.cleanedNow ? ' cleaned' : ''}`).join(), wanted);
    });
  }
});

describe('controller manager flags that are gone', () => {
  const ROWS: readonly (readonly [flag: string, target: number, gone: boolean])[] = [
    ['--pod-eviction-timeout=1m', 26, false], ['--pod-eviction-timeout=1m', 27, true], ['--enable-taint-manager=false', 27, true], ['--cloud-provider=aws', 31, false], ['--cloud-provider=aws', 32, true],
    ['--cloud-provider=external', 37, false], ['--cloud-provider=', 37, false], ['--concurrent-service-syncs=3', 36, false], ['--concurrent-service-syncs=3', 37, true], ['--node-monitor-grace-period=50s', 37, false],
  ];
  for (const [flag, target, gone] of ROWS) it(`${flag} at 1.${target}: ${gone ? 'gone' : 'fine'}`, () => assert.equal(controllerManagerRemovals([flag], target).length, gone ? 1 : 0));
});

describe('container runtimes', () => {
  const ROWS: readonly (readonly [runtime: string, target: number, level: string])[] = [
    ['containerd://2.4.2', 37, 'fine'], ['containerd://2.2.0', 36, 'fine'], ['containerd://2.1.5', 36, 'warn'], ['containerd://2.0.4', 37, 'warn'], ['containerd://1.7.28', 36, 'refuse'], ['containerd://1.6.20~ds1', 37, 'refuse'],
    ['containerd://1.7.28', 35, 'fine'], ['containerd://1.7.24~ds1', 35, 'warn'], ['containerd://2.0.1', 35, 'warn'], ['containerd://2.1.4', 35, 'warn'], ['containerd://2.1.5', 35, 'fine'],
    ['containerd://1.5.9', 26, 'refuse'], ['containerd://1.6.0', 26, 'fine'], ['containerd://1.4.4', 25, 'fine'], ['docker://20.10.5', 23, 'fine'], ['docker://20.10.5', 24, 'refuse'],
    ['cri-o://1.36.1', 37, 'fine'], ['containerd://', 37, 'refuse'], ['podman://5.0.0', 37, 'warn'], ['', 37, 'warn'],
  ];
  for (const [runtime, target, level] of ROWS) it(`${runtime || '(none)'} for 1.${target}: ${level}`, () => assert.equal(runtimeVerdict(runtime, target, 'v1.20.0').level, level));
  it('are only warned about when they run that minor already', () => assert.equal(runtimeVerdict('containerd://1.7.28', 36, 'v1.36.3').level, 'warn'));
  it('are read with distribution suffixes', () => assert.deepEqual(parseRuntime('containerd://1.7.24~ds1'), { name: 'containerd', version: { major: 1, minor: 7, patch: 24 } }));
});

describe('the etcd that kubeadm brings', () => {
  it('by minor', () => assert.deepEqual([12, 14, 17, 21, 22, 33, 34, 36, 37].map(bundledEtcdMinor), [2, 3, 4, 4, 5, 5, 6, 6, 7]));
});

describe('texts', () => {
  it('are measured and cut by bytes and characters, never inside one', () => {
    for (const text of ['abc', 'äöü', '→→', '😀😀']) assert.equal(utf8Length(text), Buffer.byteLength(text));
    assert.equal(cutBytes('😀😀😀', 11), '😀😀…');
    assert.equal(cutBytes('abc', 3), 'abc');
    assert.equal(cut('😀😀😀', 2), '😀…');
    assert.equal(oneLine(' a\r\n\u001b[0mb\u0007 '), 'a [0mb');
  });
});

describe('failure kinds', () => {
  it('each end in a sentence that says what to do', () => {
    for (const [kind, { next }] of Object.entries(FAILURES)) assert.match(next, /[.)]$/, kind);
  });
});
