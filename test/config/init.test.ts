import assert from 'node:assert/strict';
import { initialConfig } from '../../config/init.js';
import { configOf } from '../../config/load.js';

const nodes = [
  { name: 'w10', address: 'fe80::10', role: 'worker' as const },
  { name: 'w2', address: '10.0.1.2', role: 'worker' as const },
  { name: 'cp1', address: 'cp1.example.com', role: 'control-plane' as const },
];

describe('a first drydock.yaml', () => {
  it('is a good one, with the control plane first', () => {
    const { spec } = configOf(initialConfig({ cluster: 'demo', nodes }), '/f/drydock.yaml');
    assert.deepEqual(spec.nodes.map((n) => `${n.name} ${n.host} ${n.role}`), ['cp1 cp1.example.com control-plane', 'w2 10.0.1.2 worker', 'w10 fe80::10 worker']);
    assert.equal(spec.backup.folder, '/f/backups');
  });

  it('holds what was found out, quoted where YAML wants it', () => {
    const text = initialConfig({ cluster: '007', nodes, kubeconfig: './my: config', user: 'admin', port: 2222, identity: '~/.ssh/id #2', agent: true, knownHosts: './known_hosts', repository: 'http://mirror/v{minor}/', schema: 'docs/schema/drydock.schema.json' });
    const { spec } = configOf(text, '/f/drydock.yaml');
    assert.deepEqual([spec.cluster, spec.kubeconfig, spec.ssh.user, spec.ssh.port, spec.ssh.agent, spec.ssh.knownHosts, spec.packages.repository], ['007', '/f/my: config', 'admin', 2222, true, '/f/known_hosts', 'http://mirror/v{minor}/']);
    assert.match(spec.ssh.identity ?? '', /id #2$/);
    assert.match(text, /^# yaml-language-server: \$schema=docs\/schema\/drydock\.schema\.json\n/);
  });

  it('explains what is not set', () => {
    const text = initialConfig({ cluster: 'demo', nodes });
    assert.match(text, /^# kubeconfig: \.\/kubeconfig +# absent: admin\.conf is read by SSH$/m);
    assert.match(text, /^ {2}# identity: /m);
    assert.doesNotMatch(text, / $/m);
  });
});
