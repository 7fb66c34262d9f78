/** The effective configuration as YAML: every default and absolute path, in the file's own shape. */
import { stringify } from 'yaml';
import type { Config } from './load.js';

export function renderConfig(config: Config): string {
  return `# ${config.file} with every default filled in\n${stringify(config.effective, { lineWidth: 0 })}`;
}
