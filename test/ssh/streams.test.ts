import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SshShell } from '../../activities/adapters/ssh-shell.js';
import type { ClusterSpec } from '../../domain/cluster.js';
import { failure, needsSshd } from '../support/ssh-suite.js';
import { keygen, Sshd } from '../support/sshd.js';

describe('SshShell.download', () => {
  needsSshd();
  let sshd: Sshd;
  let shell: SshShell;
  const local = (name: string) => join(sshd.folder, 'local', name);
  before(async () => { sshd = await Sshd.start(); mkdirSync(join(sshd.folder, 'local')); });
  after(async () => sshd?.remove());
  beforeEach(() => { shell = new SshShell(); });
  afterEach(async () => shell.close());

  it('brings every byte, with size and sha256, under its name only when whole', async () => {
    const { cluster, node } = sshd.target();
    const content = randomBytes(9_000_001);
    writeFileSync(join(sshd.folder, "it's a file"), content);
    const got = await shell.download(cluster, node, join(sshd.folder, "it's a file"), local('whole'));
    assert.deepEqual(got, { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') });
    assert.ok(readFileSync(local('whole')).equals(content));
    assert.equal(statSync(local('whole')).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(sshd.folder, 'local')), ['whole']);
  });

  it('an empty file', async () => {
    const { cluster, node } = sshd.target();
    assert.equal((await shell.download(cluster, node, '/dev/null', local('empty'))).bytes, 0);
    assert.equal(statSync(local('empty')).size, 0);
  });

  it('a file that is not there', async () => {
    const { cluster, node } = sshd.target();
    await failure(shell.download(cluster, node, '/nonexistent/snapshot', local('none')), 'CommandFailed', /\/nonexistent\/snapshot cannot be read: .*No such file/);
    assert.ok(!existsSync(local('none')));
  });

  it('a folder that is not there', async () => {
    const { cluster, node } = sshd.target();
    await failure(shell.download(cluster, node, '/etc/hostname', '/nonexistent/folder/x'), 'BackupFolder', /\/nonexistent\/folder\/x\S* cannot be written/);
  });

  it('a size that is not the file\'s', async () => {
    const { cluster, node } = sshd.target();
    // /proc says 0 bytes and gives more.
    await failure(shell.download(cluster, node, '/proc/cpuinfo', local('changed')), 'CommandFailed', /had 0 bytes, but \d+ arrived/);
    assert.ok(!existsSync(local('changed')));
  });

  it('a connection that dies in the middle leaves no part behind', async () => {
    const { cluster, node } = sshd.target();
    const pipe = join(sshd.folder, 'slow');
    await shell.run(cluster, node, { program: 'mkfifo', args: [pipe] });
    const downloading = failure(shell.download(cluster, node, pipe, local('lost')), 'ConnectionLost');
    await sleep(700);
    sshd.dropConnections();
    await downloading;
    assert.deepEqual(readdirSync(join(sshd.folder, 'local')).filter((name) => name.startsWith('lost')), []);
  });

  it('is given up when cancelled', async () => {
    const { cluster, node } = sshd.target();
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('cancelled')), 700);
    await assert.rejects(shell.download(cluster, node, join(sshd.folder, 'slow'), local('cancelled'), { signal: controller.signal }), /cancelled/);
  });
});

describe('SshShell.forward', () => {
  needsSshd();
  let sshd: Sshd;
  let shell: SshShell;
  let echo: Server;
  before(async () => {
    sshd = await Sshd.start();
    // Answers only when the other side has ended: half-close must come through.
    echo = createServer({ allowHalfOpen: true }, (socket) => {
      const parts: Buffer[] = [];
      socket.on('data', (part) => parts.push(part));
      socket.on('end', () => socket.end(Buffer.concat([Buffer.from('got '), ...parts])));
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  });
  after(async () => { echo?.close(); await sshd?.remove(); });
  beforeEach(() => { shell = new SshShell(); });
  afterEach(async () => shell.close());
  const port = () => (echo.address() as { port: number }).port;

  it('carries both directions and their ends', async () => {
    const { cluster, node } = sshd.target();
    const { localPort } = await shell.forward(cluster, node, '127.0.0.1', port());
    const big = 'x'.repeat(3_000_000);
    assert.equal(await ask(localPort, big), `got ${big}`);
    assert.deepEqual(await Promise.all([1, 2, 3, 4].map((i) => ask(localPort, String(i)))), ['got 1', 'got 2', 'got 3', 'got 4']);
  });

  it('is one listener for one target', async () => {
    const { cluster, node } = sshd.target();
    const [one, two] = await Promise.all([shell.forward(cluster, node, '127.0.0.1', port()), shell.forward(cluster, node, '127.0.0.1', port())]);
    assert.equal(one.localPort, two.localPort);
    assert.notEqual((await shell.forward(cluster, node, '127.0.0.1', 1)).localPort, one.localPort);
  });

  it('survives a lost connection', async () => {
    const { cluster, node } = sshd.target();
    const { localPort } = await shell.forward(cluster, node, '127.0.0.1', port());
    assert.equal(await ask(localPort, 'a'), 'got a');
    sshd.dropConnections();
    await sleep(300);
    assert.equal(await ask(localPort, 'b'), 'got b');
  });

  it('closes a connection whose target refuses, and serves the next', async () => {
    const { cluster, node } = sshd.target();
    const { localPort } = await shell.forward(cluster, node, '127.0.0.1', 1);
    assert.equal(await ask(localPort, 'x').catch(() => ''), '');
  });

  it('rejects when the node cannot be reached at first', async () => {
    const { cluster, node } = sshd.target();
    await failure(shell.forward(cluster, { ...node, port: 1 }, '127.0.0.1', port()), 'HostUnreachable', /connection refused/);
    await failure(shell.forward(cluster, { ...node, port: 1 }, '127.0.0.1', port()), 'HostUnreachable');
  });

  it('is gone after close', async () => {
    const { cluster, node } = sshd.target();
    const { localPort } = await shell.forward(cluster, node, '127.0.0.1', port());
    await shell.close();
    await assert.rejects(ask(localPort, 'x'), /ECONNREFUSED|ECONNRESET/);
  });
});

describe('through a bastion', () => {
  needsSshd();
  let bastion: Sshd;
  let inner: Sshd;
  let shell: SshShell;
  before(async () => { [bastion, inner] = await Promise.all([Sshd.start(), Sshd.start()]); });
  after(async () => { await bastion?.remove(); await inner?.remove(); });
  beforeEach(() => { shell = new SshShell(); });
  afterEach(async () => shell.close());
  const via = (knownHosts: string, identity = join(bastion.folder, 'id')) => {
    const { cluster, node } = inner.target({}, knownHosts);
    const user = cluster.ssh.user;
    return { node, cluster: { ...cluster, ssh: { ...cluster.ssh, bastion: { host: '127.0.0.1', port: bastion.port, user, identity } } } satisfies ClusterSpec };
  };
  const both = () => inner.knownHostsLine() + bastion.knownHostsLine();

  it('runs, downloads and forwards', async () => {
    const { cluster, node } = via(both());
    const result = await shell.run(cluster, node, { program: 'sh', args: ['-c', 'echo $SSH_CONNECTION'] });
    assert.ok(result.stdout.trim().endsWith(` ${inner.port}`), result.stdout);
    assert.match(bastion.log(), /Accepted publickey/);
    writeFileSync(join(inner.folder, 'f'), 'through');
    assert.equal((await shell.download(cluster, node, join(inner.folder, 'f'), join(inner.folder, 'g'))).bytes, 7);
    assert.match(await ask((await shell.forward(cluster, node, '127.0.0.1', inner.port)).localPort, ''), /^SSH-2\.0/);
  });

  it('verifies the bastion\'s key as well as the node\'s', async () => {
    await failure(shell.run(via(inner.knownHostsLine()).cluster, via('').node, { program: 'true', args: [] }), 'HostKeyUnknown', /^the bastion \(127\.0\.0\.1:/);
    await failure(shell.run(via(bastion.knownHostsLine()).cluster, via('').node, { program: 'true', args: [] }), 'HostKeyUnknown', /^n1 \(127\.0\.0\.1:/);
    const { cluster, node } = via(both() + `[127.0.0.1]:1 ${inner.knownHostsLine('').trim()}`);
    await failure(shell.run(cluster, { ...node, port: 1 }, { program: 'true', args: [] }), 'HostUnreachable', /the bastion cannot open a connection to 127\.0\.0\.1:1/);
  });

  it('names the bastion when it refuses us', async () => {
    keygen('ed25519', join(bastion.folder, 'stranger'));
    const { cluster, node } = via(both(), join(bastion.folder, 'stranger'));
    await failure(shell.run(cluster, node, { program: 'true', args: [] }), 'SshAuthentication', /^the bastion/);
  });

  it('connects anew when the bastion dropped us', async () => {
    const { cluster, node } = via(both());
    await shell.run(cluster, node, { program: 'true', args: [] });
    bastion.dropConnections();
    assert.equal((await shell.run(cluster, node, { program: 'echo', args: ['back'] })).stdout, 'back\n');
  });

  it('says so when it forbids forwarding', async () => {
    const closed = await Sshd.start({ options: ['AllowTcpForwarding no'] });
    const { cluster, node } = inner.target({ bastion: { host: '127.0.0.1', port: closed.port, user: inner.target().cluster.ssh.user, identity: join(closed.folder, 'id') } }, inner.knownHostsLine() + closed.knownHostsLine());
    await failure(shell.run(cluster, node, { program: 'true', args: [] }), 'HostUnreachable', /AllowTcpForwarding/);
    await closed.remove();
  });
});

/** Sends the text, ends our side, and gives what came back. */
function ask(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let answer = '';
    const timer = setTimeout(() => { socket.destroy(); resolve(answer); }, 8000);
    socket.setEncoding('utf8').on('data', (part: string) => {
      answer += part;
      if (answer.startsWith('SSH-')) socket.end();
    });
    socket.on('end', () => { clearTimeout(timer); socket.end(); resolve(answer); }).on('error', (error) => { clearTimeout(timer); reject(error); });
    if (text !== '') socket.end(text);
  });
}
