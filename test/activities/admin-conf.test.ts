import assert from 'node:assert/strict';
import { readAdminConf, throughPort } from '../../activities/adapters/admin-conf.js';
import { StepFailure } from '../../activities/failure.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const conf = (cluster: Record<string, unknown> = {}, user: Record<string, unknown> = {}): string => JSON.stringify({
  apiVersion: 'v1', kind: 'Config', 'current-context': 'kubernetes-admin@kubernetes',
  contexts: [{ name: 'kubernetes-admin@kubernetes', context: { cluster: 'kubernetes', user: 'kubernetes-admin' } }],
  clusters: [{ name: 'kubernetes', cluster: { server: 'https://10.0.0.5:6443', 'certificate-authority-data': base64('ca'), ...cluster } }],
  users: [{ name: 'kubernetes-admin', user: { 'client-certificate-data': base64('cert'), 'client-key-data': base64('key'), ...user } }],
});
const refused = (text: string, words: RegExp): void => {
  assert.throws(() => readAdminConf(text, '/etc/kubernetes/admin.conf on cp1'), (error: unknown) => error instanceof StepFailure && error.kind === 'KubeconfigInvalid' && words.test(error.message));
};

describe("a node's admin.conf", () => {
  it('gives what kubeadm writes, and the way through the tunnel still checks the name', async () => {
    const access = readAdminConf(conf(), 'x');
    assert.deepEqual([access.host, access.port], ['10.0.0.5', 6443]);
    const config = throughPort(access, 40123);
    assert.deepEqual(config.getCurrentCluster(), { name: 'cluster', server: 'https://127.0.0.1:40123', caData: base64('ca'), tlsServerName: '10.0.0.5', skipTLSVerify: false });
    const options = {};
    await config.applyToHTTPSOptions(options);
    assert.deepEqual([config.getCurrentUser()?.certData, config.getCurrentUser()?.keyData], [base64('cert'), base64('key')]);
  });

  for (const [what, cluster, user] of [
    ['exec', {}, { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'touch', args: ['/tmp/owned'] } }],
    ['auth-provider', {}, { 'auth-provider': { name: 'gcp', config: { 'cmd-path': '/bin/sh' } } }],
    ['client-key', {}, { 'client-key': '/root/.ssh/id_ed25519' }],
    ['client-certificate', {}, { 'client-certificate': '/etc/shadow' }],
    ['tokenFile', {}, { tokenFile: '/etc/shadow' }],
    ['certificate-authority', { 'certificate-authority': '/etc/shadow' }, {}],
    ['proxy-url', { 'proxy-url': 'http://evil.example' }, {}],
    ['insecure-skip-tls-verify', { 'insecure-skip-tls-verify': true }, {}],
  ] as const) {
    it(`with ${what} is refused`, () => refused(conf(cluster, user), new RegExp(`admin\\.conf on cp1 has ${what} for its`)));
  }

  for (const [what, text, words] of [
    ['no YAML', '{', /not YAML/],
    ['a list', '[]', /no kubeconfig/],
    ['no current context', '{}', /names no cluster and user/],
    ['an address without TLS', conf({ server: 'http://10.0.0.5' }), /no https address/],
    ['an address that is none', conf({ server: 'x' }), /no https address/],
    ['no authority', conf({ 'certificate-authority-data': null }), /no certificate-authority-data/],
  ] as const) {
    it(`is refused: ${what}`, () => refused(text, words));
  }

  it('never quotes the file', () => {
    assert.throws(() => readAdminConf('users: [{client-key-data: c2VjcmV0', 'x'), (error: unknown) => error instanceof StepFailure && !error.message.includes('c2VjcmV0'));
  });
});
