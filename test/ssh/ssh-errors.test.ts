import assert from 'node:assert/strict';
import { quoteCommand, quoteWord, remoteLine } from '../../activities/adapters/quote.js';
import type { SshTarget } from '../../activities/adapters/ssh-connection.js';
import { connectFailure, sudoComplaint, type SshError } from '../../activities/adapters/ssh-errors.js';

const target: SshTarget = { name: 'w1', host: '10.0.0.7', port: 22, user: 'ops', identity: '/k', agent: true, knownHosts: '/h', connectTimeoutMs: 10_000, keepAliveMs: 1000 };

describe('a failure to connect', () => {
  const table: [error: Partial<SshError>, kind: string, message: RegExp][] = [
    [{ level: 'client-authentication', message: 'All configured authentication methods failed' }, 'SshAuthentication', /^w1 \(ops@10\.0\.0\.7:22\) refused the key \/k and the agent's keys\.$/],
    [{ level: 'client-timeout', message: 'Timed out while waiting for handshake' }, 'HostUnreachable', /no log-in within 10 s/],
    [{ level: 'client-socket', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' }, 'HostUnreachable', /: connection refused\.$/],
    [{ level: 'client-socket', code: 'ECONNRESET', message: 'read ECONNRESET' }, 'HostUnreachable', /reset/],
    [{ level: 'client-socket', code: 'EHOSTUNREACH', message: '' }, 'HostUnreachable', /no route to the host/],
    [{ level: 'client-socket', code: 'ENETUNREACH', message: '' }, 'HostUnreachable', /no route to the network/],
    [{ level: 'client-socket', code: 'ETIMEDOUT', message: '' }, 'HostUnreachable', /no answer/],
    [{ level: 'client-socket', code: 'ENOTFOUND', message: '' }, 'HostUnreachable', /does not resolve/],
    [{ level: 'client-socket', code: 'EAI_AGAIN', message: '' }, 'HostUnreachable', /name server/],
    [{ message: 'Connection lost before handshake' }, 'HostUnreachable', /MaxStartups/],
    [{ level: 'handshake', message: 'Handshake failed: no matching key exchange algorithm' }, 'HostUnreachable', /no matching key exchange algorithm\.$/],
  ];
  for (const [error, kind, message] of table) {
    it(`${error.code ?? error.message}`, () => {
      const failure = connectFailure(target, Object.assign(new Error(error.message), error));
      assert.equal(failure.kind, kind);
      assert.match(failure.message, message);
    });
  }
});

describe('sudo\'s complaints', () => {
  const table: [exitCode: number | null, stderr: string, complaint: RegExp | undefined][] = [
    [1, 'sudo: a password is required\n', /password/],
    [1, 'sudo: a terminal is required to read the password; either use the -S option', /password/],
    [1, 'sudo: no tty present and no askpass program specified', /password/],
    [1, 'sudo: sorry, you must have a tty to run sudo', /terminal/],
    [1, 'ops is not in the sudoers file.  This incident will be reported.', /may not use sudo/],
    [1, 'Sorry, user ops is not allowed to execute \'/usr/bin/env\' as root on w1.', /may not use sudo/],
    [127, 'env: ‘sudo’: No such file or directory', /not installed/],
    [127, 'env: \'sudo\': No such file or directory', /not installed/],
    [127, 'bash: sudo: command not found', /not installed/],
    [1, 'E: dpkg was interrupted', undefined],
    [0, 'sudo: a password is required', undefined],
    [100, 'sudo: a password is required', undefined],
    [127, 'env: ‘kubeadm’: No such file or directory', undefined],
    [null, '', undefined],
  ];
  for (const [exitCode, stderr, complaint] of table) {
    it(`${exitCode}: ${stderr.slice(0, 60)}`, () => {
      const said = sudoComplaint(exitCode, stderr);
      if (complaint) assert.match(said ?? 'none', complaint);
      else assert.equal(said, undefined);
    });
  }
});

describe('quoting', () => {
  it('puts every word into single quotes', () => {
    assert.equal(quoteCommand({ program: 'echo', args: ['a b', "it's", '', '$x'] }), `'echo' 'a b' 'it'\\''s' '' '$x'`);
  });
  it('refuses what no command line can carry', () => {
    assert.throws(() => quoteWord('a\0b'), { kind: 'InputInvalid' });
    assert.throws(() => quoteWord('\ud800'), { kind: 'InputInvalid' });
  });
  it('sets the environment before sudo and behind it', () => {
    const path = `'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'`;
    assert.equal(remoteLine({ program: 'id', args: ['-u'] }, { sudo: false }), `'env' 'LC_ALL=C' ${path} 'id' '-u'`);
    assert.equal(remoteLine({ program: 'id', args: [] }, { sudo: true }), `'env' 'LC_ALL=C' ${path} 'sudo' '-n' '--' 'env' 'LC_ALL=C' ${path} 'id'`);
  });
});
