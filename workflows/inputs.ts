import { ApplicationFailure } from '@temporalio/workflow';
import { parseMinor, parseVersion } from '../domain/version.js';
import type { UpgradeInput } from './messages.js';

const FIELDS = ['cluster', 'to', 'digest', 'workers', 'maxUnavailable'];

/** Anybody can start a workflow: what is wrong with its input is said at once, all of it. Throws ApplicationFailure InputInvalid. */
export function validateUpgradeInput(input: unknown, next: 'next' | undefined = undefined): asserts input is UpgradeInput {
  const wrong: string[] = [];
  if (typeof input !== 'object' || input === null) fail(['one object {"cluster": "...", "to": "1.37"} is wanted']);
  const fields = input as Record<string, unknown>;
  for (const name of Object.keys(fields)) if (!FIELDS.includes(name)) wrong.push(`unknown field ${JSON.stringify(name)}; known are ${FIELDS.join(', ')}`);
  if (typeof fields['cluster'] !== 'string' || fields['cluster'] === '') wrong.push(`cluster: found ${JSON.stringify(fields['cluster'])}, wanted a cluster's name`);
  const to = fields['to'];
  if (typeof to !== 'string' || (to !== next && !(parseVersion(to) ?? parseMinor(to)))) wrong.push(`to: found ${JSON.stringify(to)}, wanted a version such as "1.37" or "1.37.2"`);
  if (fields['digest'] !== undefined && typeof fields['digest'] !== 'string') wrong.push('digest: wanted a text');
  if (fields['workers'] !== undefined && !['rolling', 'all-at-once'].includes(fields['workers'] as string)) wrong.push(`workers: found ${JSON.stringify(fields['workers'])}, wanted "rolling" or "all-at-once"`);
  const max = fields['maxUnavailable'];
  if (max !== undefined && (typeof max !== 'string' || !/^[1-9]\d*%?$/.test(max))) wrong.push(`maxUnavailable: found ${JSON.stringify(max)}, wanted a count or a share such as "1" or "20%"`);
  if (wrong.length > 0) fail(wrong);
}

function fail(wrong: readonly string[]): never {
  throw ApplicationFailure.nonRetryable(`The input of the workflow is not right: ${wrong.join('; ')}.`, 'InputInvalid');
}
