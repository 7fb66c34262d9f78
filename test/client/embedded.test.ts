import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { installedBuild } from '../../client/service/build.js';
import { ensureService, serviceStatus, stopService } from '../../client/service/embedded.js';
import { needsTemporal } from '../support/temporal.js';

const listening = (where: { port: number; host: string } | { path: string }): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy()).once('error', reject);
    server.listen(where, () => resolve(server));
  });
const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
const freePort = async (): Promise<number> => {
  const server = await listening({ port: 0, host: '127.0.0.1' });
  const { port } = server.address() as AddressInfo;
  await closed(server);
  return port;
};

describe('the embedded Temporal', function () {
  this.timeout(120_000);
  needsTemporal();
  let folder: string;
  const kept = { state: process.env['DRYDOCK_STATE_DIR'], agent: process.env['SSH_AUTH_SOCK'] };
  const said: string[] = [];
  const ensure = (agent = false) => ensureService((text) => said.push(text), { agent });
  const path = (name: string): string => join(folder, name);
  const json = (name: string) => JSON.parse(readFileSync(path(name), 'utf8')) as Record<string, unknown>;
  const put = (name: string, value: unknown): void => writeFileSync(path(name), JSON.stringify(value));
  const workerPid = async (): Promise<number> => (await serviceStatus()).worker?.pid ?? 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'drydock-embedded-'));
    process.env['DRYDOCK_STATE_DIR'] = folder;
    delete process.env['SSH_AUTH_SOCK'];
    mkdirSync(folder, { recursive: true });
    put('ports.json', { port: await freePort(), uiPort: await freePort() });
    await ensure();
  });
  after(async () => {
    await stopService();
    rmSync(folder, { recursive: true, force: true });
    for (const [name, value] of [['DRYDOCK_STATE_DIR', kept.state], ['SSH_AUTH_SOCK', kept.agent]] as const) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  /** As if the running worker had been started from an earlier build with other workflows. */
  const asOfEarlierBuild = async (): Promise<void> => {
    copyFileSync(path(`bundles/${(await installedBuild()).bundle}.js`), path('bundles/earlier.js'));
    put('worker-bundle.json', { bundle: 'earlier' });
    put('worker.json', { ...json('worker.json'), bundle: 'earlier', build: 'earlier' });
  };

  it('stays as it is while all is well', async () => {
    const before = await serviceStatus();
    await ensure();
    assert.deepEqual(await serviceStatus(), before);
    assert.deepEqual(readdirSync(path('bundles')), [`${(await installedBuild()).bundle}.js`]);
  });

  it('replaces a worker at once when only activities were rebuilt', async () => {
    const before = await workerPid();
    put('worker.json', { ...json('worker.json'), build: 'earlier' });
    await ensure();
    assert.notEqual(await workerPid(), before);
    assert.equal(json('worker.json')['build'], (await installedBuild()).build);
  });

  it('replaces a worker of other workflows when no maintenance is open, and forgets those', async () => {
    const before = await workerPid();
    await asOfEarlierBuild();
    await ensure();
    assert.notEqual(await workerPid(), before);
    assert.deepEqual(readdirSync(path('bundles')), [`${(await installedBuild()).bundle}.js`]);
  });

  it('keeps the workflows that an open maintenance began with until it ends, also over the death of the worker', async () => {
    await asOfEarlierBuild();
    const { address } = { address: `127.0.0.1:${String(json('ports.json')['port'])}` };
    const connection = await Connection.connect({ address });
    // On a queue that nobody serves, it stays open.
    const handle = await new Client({ connection }).workflow.start('upgradeCluster', { taskQueue: 'nobody', workflowId: 'maintenance/held', args: [] });
    const before = await workerPid();
    said.length = 0;
    await ensure();
    await ensure();
    assert.equal(await workerPid(), before);
    assert.equal(said.filter((text) => /goes on with the workflows/.test(text)).length, 1, said.join('\n'));

    process.kill(before, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 200));
    await ensure();
    assert.notEqual(await workerPid(), before);
    assert.equal(json('worker.json')['bundle'], 'earlier');
    if (process.platform === 'linux') assert.match(readFileSync(`/proc/${await workerPid()}/cmdline`, 'utf8'), /bundles\/earlier\.js/);

    await handle.terminate();
    await connection.close();
    for (const deadline = Date.now() + 30_000; json('worker.json')['bundle'] === 'earlier' && Date.now() < deadline; ) {
      await ensure();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    assert.equal(json('worker.json')['bundle'], (await installedBuild()).bundle);
  });

  it('takes over the SSH agent of this shell when the one of its own is gone, and only where one is used', async () => {
    const agent = await listening({ path: path('agent.sock') });
    process.env['SSH_AUTH_SOCK'] = path('agent.sock');
    const before = await workerPid();
    await ensure(false);
    assert.equal(await workerPid(), before);
    await ensure(true);
    const after = await workerPid();
    assert.notEqual(after, before);
    assert.equal(json('worker.json')['agent'], path('agent.sock'));
    const other = await listening({ path: path('other.sock') });
    process.env['SSH_AUTH_SOCK'] = path('other.sock');
    await ensure(true);
    assert.equal(await workerPid(), after, 'its own is there still');
    await Promise.all([closed(agent), closed(other)]);
    delete process.env['SSH_AUTH_SOCK'];
  });

  it('takes new ports when another program took its own while it was down', async () => {
    const { port } = json('ports.json') as { port: number };
    process.kill((await serviceStatus()).server?.pid ?? 0, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const other = await listening({ port, host: '127.0.0.1' });
    const { address } = await ensure();
    assert.notEqual(address, `127.0.0.1:${port}`);
    assert.equal(json('worker.json')['address'], address);
    assert.equal((await serviceStatus()).server?.address, address);
    await closed(other);
  });
});
