import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { workflowBundle } from './support/temporal.js';

/** Far above what it is, far below what a library pulled in by mistake would make of it. */
const MOST_KIB = 3_000;

describe('the workflow bundle', function () {
  this.timeout(120_000);

  it('is made of workflows/, domain/ and the Temporal SDK alone, and stays small', async () => {
    const bundle = await workflowBundle();
    assert.ok('code' in bundle, 'the bundler gives code');
    const modules = [...bundle.code.matchAll(/^\/\*\*\*\/ "(\.[^"]+)"/gm)].map(([, path = '']) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path.split('/').slice(0, 3).join('/'));
    assert.deepEqual([...new Set(modules)].sort(), ['./dist/domain', './dist/workflows', '@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc']);
    const external = [...bundle.code.matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name ?? '').filter((name) => isBuiltin(name));
    assert.deepEqual(external, []);
    const kib = Math.round(bundle.code.length / 1024);
    console.log(`      ${kib} KiB, ${modules.length} modules`);
    assert.ok(kib < MOST_KIB, `${kib} KiB`);
  });

  it('cannot be made of code that reaches for Node', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'drydock-bundle-'));
    try {
      const workflowsPath = join(folder, 'bad.mjs');
      await writeFile(workflowsPath, "import { readFileSync } from 'node:fs';\nexport async function bad() { return readFileSync('/etc/hostname', 'utf8'); }\n");
      await assert.rejects(bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR', () => undefined) }), /fs|disallowed|Webpack/i);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
