import assert from 'node:assert/strict';
import { ESLint } from 'eslint';

const IMPORTS = '@typescript-eslint/no-restricted-imports';

/** What each house rule is there to stop: file that the text stands in for, text, rule. */
const FORBIDDEN: readonly (readonly [string, string, string])[] = [
  ['domain/text.ts', "import { readFileSync } from 'node:fs';\nexport const x = readFileSync;", IMPORTS],
  ['domain/text.ts', "import { loadConfig } from '../config/load.js';\nexport const x = loadConfig;", IMPORTS],
  ['domain/text.ts', "import type { Activities } from '../activities/index.js';\nexport type X = Activities;", IMPORTS],
  ['domain/text.ts', "import { sleep } from '@temporalio/workflow';\nexport const x = sleep;", IMPORTS],
  ['domain/preflight/check.ts', "import { loadConfig } from '../../config/load.js';\nexport const x = loadConfig;", IMPORTS],
  ['domain/preflight/check.ts', "import { z } from 'zod';\nexport const x = z;", IMPORTS],
  ['domain/text.ts', 'export const x = process.pid;', 'no-restricted-globals'],
  ['domain/text.ts', "console.log('x');", 'no-console'],
  ['domain/text.ts', "export const x = () => import('node:fs');", 'no-restricted-syntax'],
  ['domain/order.ts', "import { planUpgrade } from './plan-upgrade.js';\nexport const x = planUpgrade;", 'import-x/no-cycle'],
  ['workflows/batches.ts', "import { drainPass } from '../activities/drain.js';\nexport const x = drainPass;", IMPORTS],
  ['workflows/batches.ts', "import { StepFailure } from '../activities/failure.js';\nexport const x = StepFailure;", IMPORTS],
  ['workflows/batches.ts', "import { readFile } from 'node:fs/promises';\nexport const x = readFile;", IMPORTS],
  ['workflows/batches.ts', "import { Context } from '@temporalio/activity';\nexport const x = Context;", IMPORTS],
  ['workflows/batches.ts', "export const x = () => import('../activities/drain.js');", 'no-restricted-syntax'],
  ['activities/cordon.ts', "import { TASK_QUEUE } from '../workflows/messages.js';\nexport const x = TASK_QUEUE;", IMPORTS],
  ['activities/kube/objects.ts', "import { EXIT } from '../../client/exit.js';\nexport const x = EXIT;", IMPORTS],
  ['activities/cordon.ts', "import { sleep } from '@temporalio/workflow';\nexport const x = sleep;", IMPORTS],
  ['client/exit.ts', "import { drainPass } from '../activities/drain.js';\nexport const x = drainPass;", IMPORTS],
  ['client/commands/open.ts', "import type { DrainReport } from '../../activities/drain.js';\nexport type X = DrainReport;", IMPORTS],
  ['client/exit.ts', "import { Client } from 'ssh2';\nexport const x = Client;", IMPORTS],
  ['client/exit.ts', "import { KubeConfig } from '@kubernetes/client-node';\nexport const x = KubeConfig;", IMPORTS],
  ['client/exit.ts', "export const x = () => import('../activities/drain.js');", 'no-restricted-syntax'],
  ['lab/wait.ts', "import { parseVersion } from '../domain/version.js';\nexport const x = parseVersion;", IMPORTS],
  ['config/duration.ts', "import { EXIT } from '../client/exit.js';\nexport const x = EXIT;", IMPORTS],
  ['client/exit.ts', 'export function x(): void {\n  Promise.resolve(1);\n}', '@typescript-eslint/no-floating-promises'],
  ['test/domain/hops.test.ts', "describe.only('x', () => undefined);", 'no-restricted-properties'],
];

const ALLOWED: readonly (readonly [string, string])[] = [
  ['workflows/batches.ts', "import type { Activities } from '../activities/index.js';\nimport { parseVersion } from '../domain/version.js';\nexport const x = parseVersion('1.37.2');\nexport type X = Activities;\n"],
  ['activities/cordon.ts', "import { parseVersion } from '../domain/version.js';\nexport const x = parseVersion('1.37.2');\n"],
  ['client/exit.ts', "import { TASK_QUEUE } from '../workflows/messages.js';\nexport const x = () => import('../lab/cli.js').then(() => TASK_QUEUE);\n"],
];

describe('the house rules', function () {
  this.timeout(180_000);
  const eslint = new ESLint();
  const broken = async (filePath: string, text: string): Promise<(string | null)[]> => (await eslint.lintText(text, { filePath }))[0]?.messages.map((message) => message.ruleId) ?? [];

  for (const [file, text, rule] of FORBIDDEN) {
    it(`${rule} stops in ${file}: ${text.split('\n')[0]}`, async () => {
      const rules = await broken(file, text);
      assert.ok(rules.includes(rule), `fired instead: ${rules.join(', ') || 'nothing'}`);
    });
  }
  for (const [file, text] of ALLOWED) {
    it(`let pass in ${file}: ${text.split('\n')[0]}`, async () => assert.deepEqual(await broken(file, text), []));
  }
});
