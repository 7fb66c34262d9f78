import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type PlannedNode } from '../../domain/plan.js';
import { CHECK_NAMES } from '../../domain/preflight/names.js';
import { FAILURES } from '../../domain/failure.js';
import { configOf } from '../../config/load.js';
import { configJsonSchema } from '../../config/json-schema.js';
import { planSchema, statusSchema } from '../../config/output-schemas.js';
import { schemaFiles } from '../../config/schema-files.js';
import { aCluster } from '../support/facts.js';

const root = new URL('../../../', import.meta.url);
const read = (path: string): Promise<string> => readFile(new URL(path, root), 'utf8');

describe('published schemas', () => {
  for (const { name, text } of schemaFiles()) {
    it(`${name} is current (else: sh scripts/schemas.sh)`, async () => assert.equal(await read(`docs/schema/${name}`), text));
  }

  it('take a status and a plan as they are', () => {
    const status = { cluster: 'a', run: 'r', operation: 'upgrade', state: 'running', step: 's', since: '2026-11-23T12:00:00.000Z', waitingFor: null, blockers: [], nodes: [], from: null, to: '1.37.2', digest: null, events: [], steps: [], evictions: 0 };
    assert.deepEqual(statusSchema.parse(status), status);
    const plan = aCluster().plan();
    const nodes: readonly PlannedNode[] = plan.hops.flatMap((hop) => hop.nodes);
    const hops = plan.hops.map(({ from, to, minor }) => ({ from, to, minor }));
    const printed = { cluster: 'demo', from: plan.from, to: plan.to, hops, nodes, warnings: plan.warnings, refusals: aCluster().withNotReady('w1').findings(), estimate: 1, digest: plan.digest };
    assert.deepEqual(planSchema.parse(printed), printed);
  });
});

describe('documentation', () => {
  it('has an entry in troubleshooting.md for every failure kind and every check', async () => {
    const headings = new Set((await read('docs/troubleshooting.md')).split('\n').flatMap((line) => /^### `?([A-Za-z0-9-]+)`?$/.exec(line)?.[1] ?? []));
    const wanted = [...Object.keys(FAILURES), ...CHECK_NAMES];
    assert.deepEqual(wanted.filter((name) => !headings.has(name)), [], 'missing');
    assert.deepEqual([...headings].filter((name) => !wanted.includes(name)), [], 'of nothing that exists');
  });

  it('has every field of drydock.yaml in configuration.md', async () => {
    const text = await read('docs/configuration.md');
    const missing = fieldsOf(configJsonSchema() as Schema).filter((field) => !text.includes(`\`${field}\``));
    assert.deepEqual(missing, []);
  });

  it('has examples of drydock.yaml that are good ones', async () => {
    const examples = [...(await read('docs/configuration.md')).matchAll(/```yaml\n(cluster:[^`]+)```/g)].flatMap(([, text]) => text ?? []);
    assert.equal(examples.length, 2);
    for (const example of examples) assert.ok(configOf(example, '/f/drydock.yaml').spec.nodes.length > 1);
  });
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** `ssh.bastion.host`, `nodes[].name`. */
function fieldsOf(schema: Schema, above = ''): readonly string[] {
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const path = above === '' ? key : `${above}.${key}`;
    return [path, ...fieldsOf(value, path)];
  });
  return schema.items ? [...inner, ...fieldsOf(schema.items, `${above}[]`)] : inner;
}
