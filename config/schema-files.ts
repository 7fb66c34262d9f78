/** The published JSON Schemas, as files. */
import { CONFIG_SCHEMA_FILE, configJsonSchema } from './json-schema.js';
import { planJsonSchema, statusJsonSchema } from './output-schemas.js';

const file = (name: string, schema: object): { readonly name: string; readonly text: string } => ({ name, text: `${JSON.stringify(schema, null, 2)}\n` });

export const schemaFiles = (): readonly { readonly name: string; readonly text: string }[] => [
  file(CONFIG_SCHEMA_FILE, configJsonSchema()),
  file('status.schema.json', statusJsonSchema()),
  file('plan.schema.json', planJsonSchema()),
];
