import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { quoteCommand } from '../../activities/adapters/quote.js';
import { download, failureKindOf, install, repositoryOf, repositoryPattern, switchRepository } from '../../activities/commands/apt.js';
import { pullImages, upgradeApply, upgradeNode } from '../../activities/commands/kubeadm.js';
import { restartKubeletCommand } from '../../activities/commands/systemctl.js';
import { ATTACH, ESCAPED_WRAPPER, PRUNE, START } from '../../activities/detached-scripts.js';
import { etcdctlCommand, etcdutlCommand } from '../../activities/etcd-tool.js';
import { factsCommand } from '../../activities/host-facts.js';
import type { Command } from '../../activities/ports/remote-shell.js';
import { aCluster } from '../support/cluster.js';

// The sources' folder: what is golden is compared where it is kept, not where it is compiled to.
const FOLDER = fileURLToPath(new URL('../../../test/golden/commands/', import.meta.url));

const { packages } = aCluster();
const proxied = { ...packages, proxy: 'http://proxy.example:3128' };
const sh = (...args: string[]): Command => ({ program: 'sh', args: ['-c', ...args] });

/** Every command that touches a node, as the node's shell gets it. */
const COMMANDS: Readonly<Record<string, Command>> = {
  'apt-switch-repository': switchRepository(packages, '1.37'),
  'apt-download': download(packages, '1.37', ['kubeadm=1.37.2-1.1', 'kubelet=1.37.2-1.1']),
  'apt-download-proxy': download(proxied, '1.37', ['kubeadm=1.37.2-1.1']),
  'apt-install': install(packages, ['kubelet=1.37.2-1.1', 'kubectl=1.37.2-1.1']),
  'kubeadm-upgrade-apply': upgradeApply('1.37.2', { ignorePreflightErrors: [] }),
  'kubeadm-upgrade-apply-options': upgradeApply('1.37.2', { ignorePreflightErrors: ['Swap', 'SystemVerification'], patches: '/etc/kubernetes/patches' }),
  'kubeadm-upgrade-node': upgradeNode({ ignorePreflightErrors: [] }),
  'kubeadm-pull-images': pullImages({ kubeadmPackage: 'kubeadm_1.37.2-1.1', kubernetesVersion: '1.37.2', controlPlane: true }),
  'kubeadm-pull-images-worker': pullImages({ kubeadmPackage: 'kubeadm_1.37.2-1.1', kubernetesVersion: '1.37.2', controlPlane: false }),
  'kubelet-restart': restartKubeletCommand(),
  'etcdctl-snapshot-save': etcdctlCommand(['snapshot', 'save', '/var/lib/drydock/snapshots/x.db'], 1800),
  'etcdutl-snapshot-status': etcdutlCommand(['snapshot', 'status', '/var/lib/drydock/snapshots/x.db', '-w', 'json']),
  'host-facts': factsCommand(aCluster(), { minor: '1.37' }),
  'host-facts-proxy': factsCommand(aCluster({ packages: proxied }), { minor: '1.37' }),
  'detached-start': sh(START, 'drydock', '/var/lib/drydock/RUN/STEP', 'drydock-RUN-STEP-1.service', 'DESCRIPTION', '{"program":"kubeadm"}', 'WRAPPER', '/var/lib/drydock/RUN/STEP', 'kubeadm', 'upgrade'),
  'detached-wrapper': sh(ESCAPED_WRAPPER, 'drydock', '/var/lib/drydock/RUN/STEP', 'kubeadm', 'upgrade'),
  'detached-attach': sh(ATTACH, 'drydock', '/var/lib/drydock/RUN/STEP', 'drydock-RUN-STEP-1.service', '3'),
  'detached-prune': sh(PRUNE, 'drydock', '/var/lib/drydock', 'RUN', '10', '90'),
};

describe('commands as the node gets them', () => {
  for (const [name, command] of Object.entries(COMMANDS)) {
    it(name, () => {
      const file = `${FOLDER}${name}.txt`;
      const rendered = `${quoteCommand(command)}\n`;
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, rendered);
      assert.ok(existsSync(file), `no golden file ${name}.txt; UPDATE_GOLDEN=1 writes it`);
      assert.equal(rendered, readFileSync(file, 'utf8'), `${name} has changed. If that is meant: UPDATE_GOLDEN=1, and read the difference.`);
    });
  }

  it('has no golden file without a command', () => {
    assert.deepEqual(readdirSync(FOLDER).sort(), Object.keys(COMMANDS).map((name) => `${name}.txt`).sort());
  });
});

describe('apt: repository addresses', () => {
  const table: [template: string, line: string, matches: boolean][] = [
    ['https://pkgs.k8s.io/core:/stable:/v{minor}/deb/', 'deb [signed-by=/k] https://pkgs.k8s.io/core:/stable:/v1.36/deb/ /', true],
    ['https://pkgs.k8s.io/core:/stable:/v{minor}/deb/', 'deb https://pkgs.k8s.io/core:/stable:/v1.9/deb /', true],
    ['https://pkgs.k8s.io/core:/stable:/v{minor}/deb/', 'deb https://pkgs.k8s.io/core:/prerelease:/v1.36/deb/ /', false],
    ['https://pkgs.k8s.io/core:/stable:/v{minor}/deb/', 'deb https://pkgsXk8s.io/core:/stable:/v1.36/deb/ /', false],
    ['http://mirror/k8s-{minor}', 'deb http://mirror/k8s-1.36 ./', true],
  ];
  for (const [template, line, matches] of table) {
    it(`${template} ${matches ? 'finds' : 'does not find'} ${line}`, () => assert.equal(new RegExp(repositoryPattern(template)).test(line), matches));
  }

  it('refuse what sed or a shell could misread, and a template without {minor}', () => {
    for (const template of ['http://x/v1.36', 'http://x/{minor}|e id', 'http://x/{minor}\n', 'http://x y/{minor}']) {
      assert.throws(() => repositoryPattern(template), { kind: 'ConfigInvalid' }, template);
    }
    assert.equal(repositoryOf('http://x/v{minor}/', '1.37'), 'http://x/v1.37');
  });
});

describe('apt: what its words mean', () => {
  const table: [output: string, kind: string | undefined][] = [
    ['E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 77 (apt-get)', 'PackageLockHeld'],
    ['E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?', 'PackageLockHeld'],
    ['dpkg: error: dpkg frontend lock was locked by another process with pid 77', 'PackageLockHeld'],
    ['E: Version \'9.9.9-1.1\' for \'kubectl\' was not found', 'PackageUnavailable'],
    ['E: Unable to locate package kubeadm', 'PackageUnavailable'],
    ['drydock: no file in /etc/apt names a repository like x', 'PackageUnavailable'],
    ['dpkg: error processing package kubelet (--configure)', undefined],
    ['Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 77\nE: Sub-process /usr/bin/dpkg returned an error code (1)', undefined],
  ];
  for (const [output, kind] of table) it(output.slice(0, 70), () => assert.equal(failureKindOf(output), kind));
});
