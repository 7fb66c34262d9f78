/** The published JSON Schema of drydock.yaml, and what it says of a path. */
import { z } from 'zod';
import type { Path } from './problem.js';
import { configSchema } from './schema.js';

export const CONFIG_SCHEMA_FILE = 'drydock.schema.json';

/** A schema is data; only what is read here has a type. */
interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly [key: string]: unknown;
}

export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' });
  return { ...schema, title: 'drydock.yaml', description: 'One kubeadm cluster as drydock maintains it.' } as JsonSchema;
}

/** The fields of the section at a path of the file. */
export function knownKeys(path: Path): readonly string[] {
  const section = path.reduce<JsonSchema | undefined>((schema, key) => (typeof key === 'number' ? schema?.items : schema?.properties?.[key]), configJsonSchema());
  return Object.keys(section?.properties ?? {});
}
