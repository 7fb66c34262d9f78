import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withLock } from '../../client/service/lock.js';
import { isAlive, readRecord, startDetached, startTime, stop } from '../../client/service/processes.js';

const LOCK = new URL('../../client/service/lock.js', import.meta.url).href;

describe('records of background processes', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'drydock-service-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('name a living process, and no other that has its number later', async () => {
    const mine = { pid: process.pid, started: (await startTime(process.pid)) ?? '' };
    assert.equal(await isAlive(mine), true);
    assert.equal(await isAlive({ ...mine, started: '1' }), false);
    assert.equal(await isAlive(undefined), false);
    const { pid } = spawnSync('true');
    assert.equal(await isAlive({ pid, started: mine.started }), false);
  });

  it('a program started in the background outlives us: its own session, its log private', async () => {
    const record = join(folder, 'p.json');
    const entry = await startDetached('sleep', ['60'], join(folder, 'logs', 'p.log'), record);
    try {
      assert.deepEqual(await readRecord(record), entry);
      assert.equal(await isAlive(entry), true);
      assert.equal(statSync(join(folder, 'logs', 'p.log')).mode & 0o777, 0o600);
      if (process.platform === 'linux') {
        const fields = readFileSync(`/proc/${entry.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
        assert.equal(Number(fields[3]), entry.pid, 'leads a session');
      }
    } finally {
      assert.equal(await stop(record), true);
    }
    assert.equal(await isAlive(entry), false);
    assert.equal(await readRecord(record), undefined);
  });

  it('stop ends what ignores SIGTERM, after its grace', async () => {
    const record = join(folder, 'p.json');
    const entry = await startDetached('sh', ['-c', "trap '' TERM; echo ready; while :; do sleep 0.1; done"], join(folder, 'p.log'), record);
    while (!readFileSync(join(folder, 'p.log'), 'utf8').includes('ready')) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(await stop(record, 300), true);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(await isAlive(entry), false);
  });

  it('stop never touches a process that got the number of a dead one', async () => {
    const other = spawn('sleep', ['60'], { stdio: 'ignore' });
    const record = join(folder, 'p.json');
    writeFileSync(record, JSON.stringify({ pid: other.pid, started: '1' }));
    assert.equal(await stop(record), false);
    assert.equal(other.exitCode, null);
    assert.equal(other.signalCode, null);
    other.kill('SIGKILL');
    await once(other, 'exit');
  });

  it('a program that is not there is an error, and leaves no record', async () => {
    await assert.rejects(startDetached(join(folder, 'nosuch'), [], join(folder, 'p.log'), join(folder, 'p.json')), /ENOENT/);
    assert.equal(await readRecord(join(folder, 'p.json')), undefined);
  });
});

describe('withLock', function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'drydock-lock-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A process that takes the lock, writes BEGIN, holds it, writes END. */
  const holder = (holdMs: number) =>
    spawn(process.execPath, ['--input-type=module', '-e', `
      import { appendFileSync } from 'node:fs';
      import { withLock } from ${JSON.stringify(LOCK)};
      await withLock(${JSON.stringify(join(folder, 'lock'))}, async () => {
        appendFileSync(${JSON.stringify(join(folder, 'log'))}, 'BEGIN ');
        await new Promise((resolve) => setTimeout(resolve, ${holdMs}));
        appendFileSync(${JSON.stringify(join(folder, 'log'))}, 'END ');
      });`], { stdio: ['ignore', 'ignore', 'inherit'] });
  const log = (): string => readFileSync(join(folder, 'log'), 'utf8');

  it('lets one process in at a time', async () => {
    const all = [holder(150), holder(150), holder(150), holder(150)];
    const ends = await Promise.all(all.map((child) => once(child, 'exit')));
    assert.deepEqual(ends.map(([code]) => code as number), [0, 0, 0, 0]);
    assert.equal(log(), 'BEGIN END '.repeat(4));
  });

  it('is taken over from a holder that was killed', async () => {
    const dead = holder(60_000);
    while (!(await withLog())) await new Promise((resolve) => setTimeout(resolve, 20));
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    assert.equal(await withLock(join(folder, 'lock'), () => Promise.resolve('in')), 'in');
  });

  it('is taken over by one alone when many see the same dead holder, again and again', async () => {
    // Each ends without a word while it holds the lock: every turn is a take-over that all the others try at once.
    const dying = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', `
        import { appendFileSync } from 'node:fs';
        import { withLock } from ${JSON.stringify(LOCK)};
        await withLock(${JSON.stringify(join(folder, 'lock'))}, async () => {
          appendFileSync(${JSON.stringify(join(folder, 'log'))}, 'BEGIN ');
          await new Promise((resolve) => setTimeout(resolve, 120));
          appendFileSync(${JSON.stringify(join(folder, 'log'))}, 'END ');
          process.exit(0);
        });`], { stdio: ['ignore', 'ignore', 'inherit'] }));
    await Promise.all(dying.map((child) => once(child, 'exit')));
    assert.equal(log(), 'BEGIN END '.repeat(6));
  });

  it('is taken over when it was cut by a crash, and when who took it over died as well', async () => {
    writeFileSync(join(folder, 'lock'), '');
    writeFileSync(join(folder, 'lock.takeover'), JSON.stringify({ pid: 4_194_305, started: '1' }));
    assert.equal(await withLock(join(folder, 'lock'), () => Promise.resolve('in'), 5_000), 'in');
    assert.deepEqual(readdirSync(folder), []);
  });

  it('serves two of one process as well', async () => {
    let inside = 0;
    const enter = () => withLock(join(folder, 'lock'), async () => {
      assert.equal((inside += 1), 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      inside -= 1;
    });
    await Promise.all([enter(), enter(), enter()]);
  });

  it('names who holds it when the wait is over', async () => {
    const other = holder(60_000);
    while (!(await withLog())) await new Promise((resolve) => setTimeout(resolve, 20));
    await assert.rejects(withLock(join(folder, 'lock'), () => Promise.resolve('in'), 300), new RegExp(`pid ${other.pid}`));
    other.kill('SIGKILL');
    await once(other, 'exit');
  });

  it('is free again after an error', async () => {
    await assert.rejects(withLock(join(folder, 'lock'), () => Promise.reject(new Error('inside'))), /inside/);
    assert.equal(await withLock(join(folder, 'lock'), () => Promise.resolve('in')), 'in');
  });

  const withLog = (): Promise<boolean> => Promise.resolve().then(() => log().includes('BEGIN')).catch(() => false);
});
