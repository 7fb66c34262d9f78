import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { SshShell } from '../../activities/adapters/ssh-shell.js';
import type { SshSpec } from '../../domain/cluster.js';
import { failure, needsSshd } from '../support/ssh-suite.js';
import { freePort, keygen, Sshd } from '../support/sshd.js';

const TRUE = { program: 'true', args: [] };

describe('logging in: host keys', () => {
  needsSshd();
  let sshd: Sshd;
  let shell: SshShell;
  before(async () => { sshd = await Sshd.start({ keyTypes: ['ed25519', 'rsa', 'ecdsa'] }); });
  after(async () => sshd?.remove());
  beforeEach(() => { shell = new SshShell(); });
  afterEach(async () => shell.close());
  const run = (knownHosts?: string, over: Partial<SshSpec> = {}) => {
    const { cluster, node } = sshd.target(over, knownHosts);
    return shell.run(cluster, node, TRUE);
  };

  it('each type that is known is enough', async () => {
    for (const type of ['ed25519', 'rsa', 'ecdsa']) assert.equal((await run(sshd.knownHostsLine(undefined, type))).exitCode, 0, type);
  });

  it('a file hashed by ssh-keygen', async () => {
    const file = join(sshd.folder, 'hashed');
    writeFileSync(file, sshd.knownHostsLine());
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    assert.match(readFileSync(file, 'utf8'), /^\|1\|/);
    assert.equal((await run(readFileSync(file, 'utf8'))).exitCode, 0);
  });

  it('unknown: file, host and fingerprint are named', async () => {
    const error = await failure(run(''), 'HostKeyUnknown', /^n1 \(127\.0\.0\.1:\d+\) shows the host key ssh-ed25519 SHA256:\S{43}, and \S*known_hosts\S* has no line for this host\.$/);
    const fingerprint = execFileSync('ssh-keygen', ['-l', '-f', join(sshd.folder, 'host_ed25519.pub')], { encoding: 'utf8' }).split(' ')[1] ?? '?';
    assert.ok(error.message.includes(fingerprint));
  });

  it('unknown: no known_hosts file', async () => {
    await failure(run('', { knownHosts: '/nonexistent/known_hosts' }), 'HostKeyUnknown', /\/nonexistent\/known_hosts cannot be read \(it does not exist\)/);
  });

  it('changed: line and both fingerprints are named', async () => {
    keygen('ed25519', join(sshd.folder, 'other'));
    const other = readFileSync(join(sshd.folder, 'other.pub'), 'utf8');
    await failure(run(`# first\n[127.0.0.1]:${sshd.port} ${other}`), 'HostKeyChanged', /shows the host key ssh-ed25519 SHA256:\S{43}, but \S+:2 says ssh-ed25519 SHA256:\S{43}\./);
  });

  it('revoked', async () => {
    await failure(run(`@revoked * ${sshd.knownHostsLine('').trim()}\n${sshd.knownHostsLine()}`), 'HostKeyChanged', /marks as revoked/);
  });

  it('a host that no longer has the known type is changed, with its new key named', async () => {
    const other = await Sshd.start({ keyTypes: ['ed25519'] });
    const { cluster, node } = other.target({}, sshd.knownHostsLine(`[127.0.0.1]:${other.port}`, 'rsa'));
    await failure(shell.run(cluster, node, TRUE), 'HostKeyChanged', /shows the host key ssh-ed25519 SHA256:\S+, but \S+:1 says ssh-rsa/);
    await other.remove();
  });
});

describe('logging in: keys and accounts', () => {
  needsSshd();
  let sshd: Sshd;
  let shell: SshShell;
  before(async () => { sshd = await Sshd.start(); });
  after(async () => sshd?.remove());
  beforeEach(() => { shell = new SshShell(); });
  afterEach(async () => shell.close());
  const run = (over: Partial<SshSpec>) => {
    const { cluster, node } = sshd.target(over);
    return shell.run(cluster, node, TRUE);
  };
  const file = (name: string) => join(sshd.folder, name);

  it('ed25519, RSA and ECDSA keys, in OpenSSH and PEM form', async () => {
    const authorized = file('authorized_keys');
    const before = readFileSync(authorized, 'utf8');
    for (const [type, form] of [['rsa', 'OpenSSH'], ['ecdsa', 'OpenSSH'], ['rsa', 'PEM']] as const) {
      keygen(type, file('user'));
      if (form === 'PEM') execFileSync('ssh-keygen', ['-q', '-p', '-m', 'PEM', '-N', '', '-f', file('user')], { stdio: 'ignore' });
      writeFileSync(authorized, before + readFileSync(file('user.pub'), 'utf8'));
      assert.equal((await run({ identity: file('user') })).exitCode, 0, `${type} ${form}`);
    }
    writeFileSync(authorized, before);
  });

  it('the agent\'s keys', async () => {
    const socket = file('agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    const old = process.env['SSH_AUTH_SOCK'];
    try {
      process.env['SSH_AUTH_SOCK'] = socket;
      for (let i = 0; i < 50; i++) {
        try { execFileSync('ssh-add', ['-q', file('id')], { stdio: 'ignore' }); break; } catch { await new Promise((resolve) => setTimeout(resolve, 50)); }
      }
      const { cluster, node } = sshd.target({ agent: true });
      const ssh = { ...cluster.ssh, identity: undefined };
      assert.equal((await shell.run({ ...cluster, ssh }, node, TRUE)).exitCode, 0);
      delete process.env['SSH_AUTH_SOCK'];
      await failure(shell.run({ ...cluster, ssh: { ...ssh, keepAliveSeconds: 7 } }, node, TRUE), 'SshKeyUnreadable', /SSH_AUTH_SOCK is not/);
      process.env['SSH_AUTH_SOCK'] = '/nonexistent/agent';
      await failure(shell.run({ ...cluster, ssh: { ...ssh, keepAliveSeconds: 8 } }, node, TRUE), 'SshAuthentication', /agent/);
      // A dead agent is no hindrance where the key file does.
      assert.equal((await run({ agent: true })).exitCode, 0);
    } finally {
      if (old === undefined) delete process.env['SSH_AUTH_SOCK'];
      else process.env['SSH_AUTH_SOCK'] = old;
      agent.kill();
    }
  });

  it('a key that is not authorized', async () => {
    keygen('ed25519', file('stranger'));
    await failure(run({ identity: file('stranger') }), 'SshAuthentication', /^n1 \(\S+@127\.0\.0\.1:\d+\) refused the key \S+stranger\.$/);
  });

  it('an account that does not exist', async () => {
    await failure(run({ user: 'nobody-of-this-name' }), 'SshAuthentication', /nobody-of-this-name@/);
  });

  it('a key with a passphrase', async () => {
    keygen('ed25519', file('locked'), 'secret words');
    await failure(run({ identity: file('locked') }), 'SshKeyUnreadable', /locked is protected by a passphrase/);
    keygen('rsa', file('locked-pem'), 'secret words');
    execFileSync('ssh-keygen', ['-q', '-p', '-m', 'PEM', '-P', 'secret words', '-N', 'secret words', '-f', file('locked-pem')], { stdio: 'ignore' });
    await failure(run({ identity: file('locked-pem') }), 'SshKeyUnreadable', /locked-pem is protected by a passphrase/);
  });

  it('a key file that is missing, a public key, or something else', async () => {
    await failure(run({ identity: file('none') }), 'SshKeyUnreadable', /none cannot be read: it does not exist/);
    await failure(run({ identity: file('id.pub') }), 'SshKeyUnreadable', /id\.pub holds a public key/);
    writeFileSync(file('text'), 'hello\n');
    await failure(run({ identity: file('text') }), 'SshKeyUnreadable', /text is not a private key/);
    writeFileSync(file('broken'), '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n');
    await failure(run({ identity: file('broken') }), 'SshKeyUnreadable', /broken cannot be used/);
    await failure(run({ identity: sshd.folder }), 'SshKeyUnreadable', /cannot be read/);
  });

  it('neither key nor agent', async () => {
    const { cluster, node } = sshd.target();
    const ssh = { ...cluster.ssh, identity: undefined };
    await failure(shell.run({ ...cluster, ssh }, node, TRUE), 'SshKeyUnreadable', /Neither ssh\.identity nor ssh\.agent/);
  });

  it('sudo that is missing or asks for a password', async function () {
    const { cluster, node } = sshd.target({ sudo: 'always' });
    // A PATH entry of the adapter that is ours to write only as root; elsewhere the table below is the proof.
    const program = '/usr/local/sbin/sudo';
    if (process.getuid?.() !== 0) return this.skip();
    const complaints: [script: string, why: RegExp][] = [
      ['echo "sudo: a password is required" >&2; exit 1', /asks for a password/],
      ['echo "ops is not in the sudoers file." >&2; exit 1', /may not use sudo/],
    ];
    try {
      for (const [script, why] of complaints) {
        writeFileSync(program, `#!/bin/sh\n${script}\n`);
        chmodSync(program, 0o755);
        await failure(shell.run(cluster, node, TRUE), 'SudoPassword', why);
      }
      writeFileSync(program, '#!/bin/sh\n[ "$1" = -n ] && [ "$2" = -- ] || exit 99\nshift 2\nexec "$@"\n');
      assert.equal((await shell.run(cluster, node, { program: 'sh', args: ['-c', 'echo "$LC_ALL"; exit 3'] })).stdout, 'C\n');
    } finally {
      execFileSync('rm', ['-f', program]);
    }
  });
});

describe('logging in: hosts that do not answer', () => {
  let shell: SshShell;
  beforeEach(() => { shell = new SshShell(); });
  afterEach(async () => shell.close());
  needsSshd();
  let sshd: Sshd;
  before(async () => { sshd = await Sshd.start(); });
  after(async () => sshd?.remove());
  const run = (port: number, over: Partial<SshSpec> = {}, host = '127.0.0.1') => {
    const { cluster, node } = sshd.target({ connectTimeoutSeconds: 1, ...over });
    return shell.run(cluster, { ...node, host, port }, TRUE);
  };

  it('nobody listens', async () => {
    await failure(run(await freePort()), 'HostUnreachable', /connection refused/);
  });

  it('a name that does not resolve', async () => {
    await failure(run(22, {}, 'no-such-host.invalid'), 'HostUnreachable', /does not resolve|name server/);
  });

  it('a listener that says nothing, within the time limit', async () => {
    const silent = createServer(() => {});
    const port = await listen(silent);
    const began = Date.now();
    await failure(run(port), 'HostUnreachable', /no log-in within 1 s/);
    assert.ok(Date.now() - began < 3000);
    silent.close();
  });

  it('something that is no SSH server, and one that closes at once', async () => {
    const web = createServer((socket) => { socket.on('error', () => {}); socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'); });
    await failure(run(await listen(web)), 'HostUnreachable');
    web.close();
    const closing = createServer((socket) => socket.destroy());
    await failure(run(await listen(closing)), 'HostUnreachable');
    closing.close();
  });

  it('callers that come together share one attempt and one failure', async () => {
    let connections = 0;
    const silent = createServer(() => { connections++; });
    const port = await listen(silent);
    const { cluster, node } = sshd.target({ connectTimeoutSeconds: 1 });
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => shell.run(cluster, { ...node, port }, TRUE)));
    assert.ok(results.every((result) => result.status === 'rejected'));
    assert.equal(connections, 1);
    silent.close();
  });
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}
