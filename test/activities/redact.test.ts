import assert from 'node:assert/strict';
import { cut, redact } from '../../activities/redact.js';

const HEX = 'ab12'.repeat(16);
const BASE64 = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7';
const PEM = `-----BEGIN RSA PRIVATE KEY-----\n${BASE64}\n${BASE64}\n-----END RSA PRIVATE KEY-----`;

describe('redact', () => {
  const table: [what: string, text: string, clean: string][] = [
    ['a bootstrap token', 'kubeadm join --token abcdef.0123456789abcdef x', 'kubeadm join --token [redacted] x'],
    ['a bootstrap token at the end of a sentence', 'The token is abcdef.0123456789abcdef.', 'The token is [redacted].'],
    ['no host name', 'worker.mydomainexample1.com abcdef.0123456789abcdef.example.com', 'worker.mydomainexample1.com abcdef.0123456789abcdef.example.com'],
    ['a certificate key flag', `--certificate-key ${HEX}`, '--certificate-key [redacted]'],
    ['a certificate key in YAML', `certificateKey: ${HEX}`, 'certificateKey: [redacted]'],
    ['a certificate key on the next line', `Using certificate key:\n${HEX}\n`, 'Using certificate key:\n[redacted]\n'],
    ['no image digest', `registry.k8s.io/etcd@sha256:${HEX}`, `registry.k8s.io/etcd@sha256:${HEX}`],
    ['no CA certificate hash', `--discovery-token-ca-cert-hash sha256:${HEX}`, `--discovery-token-ca-cert-hash sha256:${HEX}`],
    ['a bearer token', 'Authorization: Bearer abc.def-ghi_jkl', 'Authorization: Bearer [redacted]'],
    ['a JSON web token', 'got eyJhbGciOiJSUzI1NiIsImtp.eyJpc3MiOiJrdWJlcm5.c2lnbmF0dXJl here', 'got [redacted] here'],
    ['a PEM key', `before\n${PEM}\nafter`, 'before\n[redacted]\nafter'],
    ['a PEM key without its end', `before\n-----BEGIN PRIVATE KEY-----\n${BASE64}\n${BASE64}`, 'before\n[redacted]'],
    ['a PEM key without its beginning', `${BASE64}\n${BASE64}\nAbC=\n-----END EC PRIVATE KEY-----\nafter`, '[redacted]\nafter'],
    ['no certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'],
    ['client-key-data', `    client-key-data: ${BASE64}==\n    user: x`, '    client-key-data: [redacted]\n    user: x'],
    ['a token field', `"token": "${BASE64}", "a": 1`, '"token": "[redacted]", "a": 1'],
    ['a token in prose stays', 'invalid token: expired', 'invalid token: expired'],
    ['an access key', 'aws_secret_access_key=wJalrXUtnFEMI/K7MDENG', 'aws_secret_access_key=[redacted]'],
    ['a password', 'password=hunter2 next', 'password=[redacted] next'],
    ['a quoted password', '"password": "two words", "a": 1', '"password": [redacted], "a": 1'],
    ['a password with a colon', 'passwd: s3cret\nx', 'passwd: [redacted]\nx'],
    ['a URL with a password', 'http://user:pa:ss@proxy.local:3128/x', 'http://[redacted]@proxy.local:3128/x'],
    ['no plain URL', 'https://10.0.0.1:6443/api?x=y@z', 'https://10.0.0.1:6443/api?x=y@z'],
    ['an age identity', 'AGE-SECRET-KEY-1QQPQ', '[redacted]'],
    ['kubeadm\'s ordinary words', '[upgrade/successful] SUCCESS! Your cluster was upgraded to "v1.37.2".', '[upgrade/successful] SUCCESS! Your cluster was upgraded to "v1.37.2".'],
  ];
  for (const [what, text, clean] of table) it(what, () => assert.equal(redact(text), clean));

  it('given values, the longest first', () => {
    assert.equal(redact('abc abcd ab', ['abc', 'abcd', '']), '[redacted] [redacted] ab');
  });

  it('takes a moment for a long line of anything', () => {
    for (const text of ['x'.repeat(300_000), 'a.'.repeat(150_000), 'a-'.repeat(150_000), `${BASE64}\n`.repeat(5000), 'http://a'.repeat(30_000), 'password '.repeat(30_000), 'eyJaaaaaaaaa.'.repeat(20_000)]) {
      const began = performance.now();
      redact(text);
      assert.ok(performance.now() - began < 1500, `${text.slice(0, 20)} took ${performance.now() - began} ms`);
    }
  });
});

describe('cut', () => {
  it('leaves short text alone', () => {
    assert.equal(cut('x'.repeat(4096)), 'x'.repeat(4096));
  });

  it('keeps head and tail and says how much is missing', () => {
    const short = cut(`HEAD${'x'.repeat(10_000)}TAIL`, 400);
    assert.match(short, /^HEADx+\n\[\.\.\. \d+ bytes left out \.\.\.\]\nx+TAIL$/);
    const missing = Number(/(\d+) bytes/.exec(short)?.[1]);
    assert.equal(missing + short.replace(/\n\[.*\]\n/, '').length, 10_008);
    assert.ok(Buffer.byteLength(short) <= 400);
  });

  it('counts bytes and splits no character', () => {
    for (let limit = 60; limit < 80; limit++) {
      const short = cut('🚢'.repeat(200), limit);
      assert.ok(Buffer.byteLength(short) <= limit);
      assert.doesNotMatch(short, /\uFFFD/);
    }
  });
});
