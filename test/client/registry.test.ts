import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT, Exit } from '../../client/exit.js';
import { nameHolder, registerCluster, registeredConfig } from '../../client/service/registry.js';

const yaml = (cluster: string): string => `cluster: ${cluster}\nssh:\n  user: root\n  identity: ./id\n  knownHosts: ./known_hosts\nnodes:\n  - {name: cp1, host: 192.0.2.1, role: control-plane}\n`;

describe('the name of a cluster', () => {
  let folder: string;
  const kept = process.env['DRYDOCK_STATE_DIR'];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'drydock-registry-'));
    process.env['DRYDOCK_STATE_DIR'] = join(folder, 'state');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
    if (kept === undefined) delete process.env['DRYDOCK_STATE_DIR'];
    else process.env['DRYDOCK_STATE_DIR'] = kept;
  });
  const file = (name: string, text: string): string => {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'drydock.yaml'), text);
    return join(folder, name, 'drydock.yaml');
  };
  const refused = (one: string, other: string) => (error: unknown): boolean =>
    error instanceof Exit && error.code === EXIT.usage && [one, other, join(folder, 'state', 'clusters', 'prod.json')].every((path) => error.message.includes(path));

  it('belongs to the first file that has it, for as long as that file names it', async () => {
    const [one, other] = [file('one', yaml('prod')), file('other', yaml('prod'))];
    await registerCluster('prod', one);
    await registerCluster('prod', one);
    await assert.rejects(registerCluster('prod', other), refused(one, other));
    assert.equal(await registeredConfig('prod'), one);
    assert.equal(await nameHolder('prod', other), one);
    file('one', yaml('staging'));
    await registerCluster('prod', other);
    assert.equal(await registeredConfig('prod'), other);
  });

  it('is free when that file is gone', async () => {
    const [one, other] = [file('one', yaml('prod')), file('other', yaml('prod'))];
    await registerCluster('prod', one);
    rmSync(join(folder, 'one'), { recursive: true });
    await registerCluster('prod', other);
    assert.equal(await registeredConfig('prod'), other);
  });

  it('is kept by a file with a mistake in it', async () => {
    const [one, other] = [file('one', yaml('prod')), file('other', yaml('prod'))];
    await registerCluster('prod', one);
    file('one', 'cluster: "prod" # ours\nkubeconfg: x\n');
    await assert.rejects(registerCluster('prod', other), refused(one, other));
  });

  it('follows its file when that was moved and is found by its old name too', async () => {
    const one = file('one', yaml('prod'));
    await registerCluster('prod', one);
    renameSync(join(folder, 'one'), join(folder, 'moved'));
    symlinkSync(join(folder, 'moved'), join(folder, 'one'));
    await registerCluster('prod', join(folder, 'moved', 'drydock.yaml'));
    assert.equal(await registeredConfig('prod'), join(folder, 'moved', 'drydock.yaml'));
  });
});
