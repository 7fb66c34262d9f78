import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StepFailure } from '../../activities/failure.js';
import type { FailureKind } from '../../domain/failure.js';
import { FileClusterDirectory } from '../../worker/cluster-files.js';

const yaml = (cluster: string, user = 'root'): string => `cluster: ${cluster}\nssh:\n  user: ${user}\n  identity: ./id\n  knownHosts: ./known_hosts\nnodes:\n  - {name: cp1, host: 192.0.2.1, role: control-plane}\n`;

describe('FileClusterDirectory', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'drydock-clusters-'));
    mkdirSync(join(folder, 'registry'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const fails = (promise: Promise<unknown>, kind: FailureKind, message: RegExp) =>
    assert.rejects(promise, (error: unknown) => error instanceof StepFailure && error.kind === kind && message.test(error.message));

  it('finds a cluster by its name, whatever the file is called', async () => {
    const directory = new FileClusterDirectory([write('a.yaml', yaml('east')), write('b.yaml', yaml('west'))], undefined);
    assert.equal((await directory.spec('west')).cluster, 'west');
    assert.equal((await directory.spec('east')).nodes[0]?.host, '192.0.2.1');
  });

  it('finds what the command line registered', async () => {
    write('registry/west.json', JSON.stringify({ config: write('b.yaml', yaml('west')) }));
    assert.equal((await new FileClusterDirectory([], join(folder, 'registry')).spec('west')).cluster, 'west');
  });

  it('names the clusters it has when asked for another', () =>
    fails(new FileClusterDirectory([write('a.yaml', yaml('east'))], undefined).spec('north'), 'ClusterUnknown', /no configuration of cluster "north"; it has east/));

  it('takes no name for a path', () => fails(new FileClusterDirectory([], join(folder, 'registry')).spec('../registry/west'), 'ClusterUnknown', /no configuration/));

  it('a pointer to another cluster does not count', async () => {
    write('registry/west.json', JSON.stringify({ config: write('a.yaml', yaml('east')) }));
    await fails(new FileClusterDirectory([], join(folder, 'registry')).spec('west'), 'ClusterUnknown', /it has east/);
  });

  it('reads a repaired file at the next question', async () => {
    const file = write('a.yaml', yaml('east', 'root'));
    const directory = new FileClusterDirectory([file], undefined);
    assert.equal((await directory.spec('east')).ssh.user, 'root');
    write('a.yaml', yaml('east', 'ops'));
    utimesSync(file, new Date(), new Date(Date.now() + 5_000));
    assert.equal((await directory.spec('east')).ssh.user, 'ops');
  });

  it('says what is wrong with a file, and that one is gone', async () => {
    await fails(new FileClusterDirectory([write('a.yaml', 'cluster: east\nnods: []\n')], undefined).spec('east'), 'ConfigInvalid', /nods/);
    await fails(new FileClusterDirectory([join(folder, 'none.yaml')], undefined).spec('east'), 'ConfigInvalid', /none\.yaml/);
  });
});
