import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { needsTemporal, temporal } from '../support/temporal.js';

const MAIN = fileURLToPath(new URL('../../client/main.js', import.meta.url));

describe('drydock worker, for a lasting server', function () {
  this.timeout(60_000);
  needsTemporal();
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'drydock-worker-'));
    writeFileSync(join(folder, 'drydock.yaml'), 'cluster: lasting\nssh:\n  user: root\n  identity: ./id\n  knownHosts: ./known_hosts\nnodes:\n  - {name: cp1, host: 192.0.2.1, role: control-plane}\n');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const started = (address: string): ChildProcess & { log: () => string } => {
    let log = '';
    const child = spawn(process.execPath, [MAIN, 'worker', '--cluster-config', join(folder, 'drydock.yaml'), '--address', address], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
    return Object.assign(child, { log: () => log });
  };
  const ended = async (child: ChildProcess): Promise<[number | null, number]> => {
    const asked = Date.now();
    const [code] = (await once(child, 'exit')) as [number | null];
    return [code, Date.now() - asked];
  };

  it('polls the task queue, and ends in order and in time when asked to, also when asked twice', async () => {
    const child = started((await temporal()).address);
    while (!/state: 'RUNNING'|Worker state changed.*RUNNING/s.test(child.log()) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.match(child.log(), /drydock/);
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGTERM'), 20);
    const [code, ms] = await ended(child);
    assert.equal(code, 0, child.log());
    assert.ok(ms < 8_000, `${ms} ms`);
  });

  it('ends at once when asked to while it waits for its server', async () => {
    const child = started('127.0.0.1:1');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    child.kill('SIGTERM');
    const [code, ms] = await ended(child);
    assert.equal(code, 0, child.log());
    assert.ok(ms < 2_000, `${ms} ms`);
  });
});
