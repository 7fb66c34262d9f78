/** From text to a checked file: every problem with its place, all at once. */
import type { z } from 'zod';
import { consistencyProblems } from './consistency.js';
import { didYouMean } from './did-you-mean.js';
import { knownKeys } from './json-schema.js';
import { ConfigError, type Path, pathText, type Problem, shown } from './problem.js';
import { type ConfigFile, configSchema } from './schema.js';
import { readSource, type Source } from './source.js';

/** Throws ConfigError. */
export function parseConfig(text: string, file: string): ConfigFile {
  const source = readSource(text, file);
  if (source.syntax.length > 0) throw new ConfigError(source.syntax);
  const parsed = configSchema.safeParse(source.value);
  const problems = [...(parsed.error?.issues ?? []).flatMap((issue) => problemsOf(issue, source)), ...consistencyProblems(source)];
  if (problems.length > 0) throw new ConfigError(inOrder(problems));
  if (!parsed.success) throw new Error('a schema issue without a problem');
  return parsed.data;
}

type Issue = z.core.$ZodIssue;

function problemsOf(issue: Issue, source: Source): readonly Problem[] {
  const path = issue.path.filter((key): key is string | number => typeof key !== 'symbol');
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, path, source));
  const value = valueAt(source.value, path);
  return [{ file: source.file, ...source.at(path), path: pathText(path), found: shown(value), wanted: issue.message }];
}

function unknownKey(key: string, path: Path, source: Source): Problem {
  const known = knownKeys(path);
  const guess = didYouMean(key, known);
  const wanted = guess === undefined ? `one of ${known.join(', ')}` : `"${guess}"?`;
  return { file: source.file, ...source.atKey(path, key), path: pathText([...path, key]), found: `the unknown field "${key}"`, wanted };
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<string | number, unknown>)[key] : undefined), value);
}

/** From the top of the file down; one problem per place and path. */
function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>();
  const fresh = problems.filter((p) => {
    const id = `${p.line}:${p.column}:${p.path}`;
    return seen.has(id) ? false : seen.add(id);
  });
  return fresh.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
