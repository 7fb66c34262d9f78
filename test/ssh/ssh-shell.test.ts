import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { SshShell } from '../../activities/adapters/ssh-shell.js';
import { Sshd } from '../support/sshd.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { failure, needsSshd } from '../support/ssh-suite.js';

describe('SshShell.run', () => {
  needsSshd();
  let sshd: Sshd;
  let shell: SshShell;
  before(async () => { sshd = await Sshd.start(); });
  after(async () => sshd?.remove());
  beforeEach(() => { shell = new SshShell(); });
  afterEach(async () => shell.close());

  it('gives exit code, both streams and the time', async () => {
    const { cluster, node } = sshd.target();
    const result = await shell.run(cluster, node, { program: 'sh', args: ['-c', 'echo out; echo err >&2; exit 3'] });
    assert.deepEqual([result.exitCode, result.signal, result.stdout, result.stderr, result.truncated], [3, null, 'out\n', 'err\n', false]);
    assert.ok(result.milliseconds > 0);
  });

  it('tells a signal from an exit', async () => {
    const { cluster, node } = sshd.target();
    const result = await shell.run(cluster, node, { program: 'sh', args: ['-c', 'kill -9 $$'] });
    assert.deepEqual([result.exitCode, result.signal], [null, 'SIGKILL']);
  });

  it('carries every character from 1 to 255, and more, as one argument byte for byte', async () => {
    const { cluster, node } = sshd.target();
    const words = [
      ...Array.from({ length: 255 }, (_, i) => String.fromCharCode(i + 1)), Array.from({ length: 255 }, (_, i) => String.fromCharCode(i + 1)).join(''),
      '', ' ', "'", "''", "it's", '$HOME `id` $(id) ${x}', 'a\nb\n', '\\', '\\n', '!!', '-n', '--', '*', '~', '漢字 🚢', '#', ';', '&&', '\r\n', '=',
    ];
    const result = await shell.run(cluster, node, { program: 'sh', args: ['-c', 'for a; do printf %s "$a" | od -An -v -tx1 | tr -d " \\n"; echo; done', 'x', ...words] });
    assert.deepEqual(result.stdout.split('\n').slice(0, -1), words.map((word) => Buffer.from(word).toString('hex')));
  });

  it('feeds standard input and closes it', async () => {
    const { cluster, node } = sshd.target();
    const text = 'x'.repeat(300_000);
    const result = await shell.run(cluster, node, { program: 'wc', args: ['-c'], stdin: text });
    assert.equal(result.stdout.trim(), '300000');
    assert.equal((await shell.run(cluster, node, { program: 'cat', args: [] })).stdout, '');
  });

  it('sets C locale and a PATH with the system programs', async () => {
    const { cluster, node } = sshd.target();
    const result = await shell.run(cluster, node, { program: 'sh', args: ['-c', 'echo "$LC_ALL:$PATH"'] });
    assert.equal(result.stdout, 'C:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n');
  });

  it('caps each stream and reads on, so that the command ends', async () => {
    const { cluster, node } = sshd.target();
    const result = await shell.run(cluster, node, { program: 'sh', args: ['-c', 'head -c 20000000 /dev/zero | tr "\\0" a; echo e >&2; exit 7'] }, { maxOutputBytes: 1000 });
    assert.deepEqual([result.exitCode, result.stdout.length, result.stderr, result.truncated], [7, 1000, 'e\n', true]);
  });

  it('never reports an end without an exit status: a connection killed in mid command is ConnectionLost', async () => {
    const { cluster, node } = sshd.target();
    const running = shell.run(cluster, node, { program: 'sh', args: ['-c', 'echo begun; sleep 30'] });
    await sleep(500);
    sshd.dropConnections();
    await failure(running, 'ConnectionLost', /lost while sh ran/);
  });

  it('connects anew after a loss', async () => {
    const { cluster, node } = sshd.target();
    await shell.run(cluster, node, { program: 'true', args: [] });
    sshd.dropConnections();
    assert.equal((await shell.run(cluster, node, { program: 'echo', args: ['again'] })).stdout, 'again\n');
    await sshd.stop();
    await failure(shell.run(cluster, node, { program: 'true', args: [] }), ['HostUnreachable', 'ConnectionLost']);
    await sshd.restart();
    assert.equal((await shell.run(cluster, node, { program: 'echo', args: ['back'] })).stdout, 'back\n');
  });

  it('notices a connection that fell silent, by its keep-alives, and takes another', async () => {
    const proxy = await TcpProxy.to(sshd.port);
    const { cluster, node } = sshd.target({ keepAliveSeconds: 1, connectTimeoutSeconds: 2 }, sshd.knownHostsLine('127.0.0.1'));
    const behind = { ...node, port: proxy.port };
    await shell.run(cluster, behind, { program: 'true', args: [] });
    const running = shell.run(cluster, behind, { program: 'sleep', args: ['30'] });
    setTimeout(() => proxy.silence(), 500);
    const began = Date.now();
    await failure(running, 'ConnectionLost', /lost while sleep ran: Keepalive timeout/);
    assert.ok(Date.now() - began < 8000, `after ${Date.now() - began} ms`);
    await failure(shell.run(cluster, behind, { program: 'true', args: [] }), 'HostUnreachable', /no log-in within 2 s/);
    proxy.speak();
    assert.equal((await shell.run(cluster, behind, { program: 'echo', args: ['back'] })).stdout, 'back\n');
    proxy.close();
  });

  it('gives up at the time limit', async () => {
    const { cluster, node } = sshd.target();
    await failure(shell.run(cluster, node, { program: 'sleep', args: ['3'] }, { timeoutMs: 300 }), 'ConnectionLost', /no answer to sleep within 0.3 s/);
    assert.equal((await shell.run(cluster, node, { program: 'echo', args: ['alive'] })).stdout, 'alive\n');
  });

  it('gives up at once when the caller cancels, with the caller\'s reason', async () => {
    const { cluster, node } = sshd.target();
    const reason = new Error('cancelled by the operator');
    const controller = new AbortController();
    const running = shell.run(cluster, node, { program: 'sleep', args: ['5'] }, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 300);
    await assert.rejects(running, reason);
    await assert.rejects(shell.run(cluster, node, { program: 'true', args: [] }, { signal: controller.signal }), reason);
  });

  it('refuses a NUL and a line that is too long before anything is sent', async () => {
    const { cluster, node } = sshd.target();
    await failure(shell.run(cluster, node, { program: 'echo', args: ['a\0b'] }), 'InputInvalid', /NUL/);
    await failure(shell.run(cluster, node, { program: 'echo', args: ['x'.repeat(130_000)] }), 'InputInvalid', /bytes long/);
  });

  it('runs many commands at once over one connection, at most 8 at a time', async () => {
    const { cluster, node } = sshd.target();
    const results = await Promise.all(Array.from({ length: 40 }, (_, i) => shell.run(cluster, node, { program: 'sh', args: ['-c', 'sleep 0.1; echo $1; echo $PPID', 'x', String(i)] })));
    assert.deepEqual(results.map((result) => result.stdout.split('\n')[0]), Array.from({ length: 40 }, (_, i) => String(i)));
    const log = sshd.log();
    const since = log.slice(log.lastIndexOf('Accepted publickey'));
    assert.equal(since.match(/Accepted publickey/g)?.length, 1);
    assert.doesNotMatch(since, /no more sessions/);
  });
});

describe('SshShell.run against a sshd with few sessions', () => {
  needsSshd();
  let sshd: Sshd;
  const shell = new SshShell();
  before(async () => { sshd = await Sshd.start({ options: ['MaxSessions 2'] }); });
  after(async () => { await shell.close(); await sshd?.remove(); });

  it('is content with what it gets', async () => {
    const { cluster, node } = sshd.target();
    const results = await Promise.all(Array.from({ length: 20 }, () => shell.run(cluster, node, { program: 'sleep', args: ['0.05'] })));
    assert.ok(results.every((result) => result.exitCode === 0));
  });

  it('takes a new connection when given-up commands hold all sessions', async () => {
    const { cluster, node } = sshd.target();
    for (let i = 0; i < 2; i++) await failure(shell.run(cluster, node, { program: 'sleep', args: ['20'] }, { timeoutMs: 200 }), 'ConnectionLost');
    assert.equal((await shell.run(cluster, node, { program: 'echo', args: ['ok'] })).stdout, 'ok\n');
  });
});
