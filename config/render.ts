/** The effective configuration as YAML: every default and absolute path, in the file's own shape. */
import { stringify } from 'yaml';
import type { DrydockConfig } from './load.js';

export function renderConfig(config: DrydockConfig): string {
  return `# ${config.path} with every default filled in\n${stringify(config.effective, { lineWidth: 0 })}`;
}
