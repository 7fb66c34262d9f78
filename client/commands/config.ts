import { renderConfig } from '../../config/render.js';
import { readConfig, type Common } from '../context.js';
import { EXIT } from '../exit.js';

export async function config(options: Common): Promise<number> {
  const read = await readConfig(options);
  process.stdout.write(options.json ? `${JSON.stringify(read, null, 2)}\n` : renderConfig(read));
  return EXIT.done;
}
