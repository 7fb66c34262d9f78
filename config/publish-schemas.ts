// Writes docs/schema/*.json from the schemas in this folder: node dist/config/publish-schemas.js
import { mkdir, writeFile } from 'node:fs/promises';
import { schemaFiles } from './schema-files.js';

const folder = new URL('../../docs/schema/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const { name, text } of schemaFiles()) await writeFile(new URL(name, folder), text);
