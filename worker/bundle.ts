// Built once by scripts/build.sh, so that a worker starts without a bundler and the command line only reads what was built.
import { createHash } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const DIST = fileURLToPath(new URL('..', import.meta.url));
/** All that a worker runs. The command line's own files are not among them: a change there must not replace a worker. */
const FOLDERS = ['activities', 'domain', 'config', 'worker'];

const { code } = await bundleWorkflowCode({
  workflowsPath: join(DIST, 'workflows', 'index.js'),
  logger: new DefaultLogger('WARN'),
});
await put('workflow-bundle.js', code);

const short = (hash: ReturnType<typeof createHash>): string => hash.digest('hex').slice(0, 16);
const all = createHash('sha256').update(code);
for (const folder of FOLDERS) {
  const names = (await readdir(join(DIST, folder), { recursive: true })).filter((name) => name.endsWith('.js')).sort();
  for (const name of names) all.update(`\0${folder}/${name}\0`).update(await readFile(join(DIST, folder, name)));
}
await put('.build-id', JSON.stringify({ build: short(all), bundle: short(createHash('sha256').update(code)) }));

/** A worker or a command may read it at this very moment: it appears whole. */
async function put(name: string, content: string): Promise<void> {
  await writeFile(join(DIST, `${name}.new`), content);
  await rename(join(DIST, `${name}.new`), join(DIST, name));
}
