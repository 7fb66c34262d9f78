// npm run bench [NAME...] [-- --json]: figures that anybody can repeat. docs/benchmarks.md tells what was seen.
import { say } from './support.js';

const BENCHES: Readonly<Record<string, () => Promise<{ json: object; text: string }>>> = {
  start: async () => (await import('./start.js')).benchStart(),
  upgrade: async () => (await import('./upgrade.js')).benchUpgrade(),
  recovery: async () => (await import('./recovery.js')).benchRecovery(),
  drain: async () => (await import('./drain.js')).benchDrain(),
};

const argv = process.argv.slice(2);
const json = argv.includes('--json');
const names = argv.filter((word) => word !== '--json');
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  say(`unknown: ${unknown.join(', ')}. Known: ${Object.keys(BENCHES).join(', ')}; without a name all of them. All but start need Docker (docs/lab.md).`);
  process.exit(2);
}
for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
  try {
    const result = await BENCHES[name]?.();
    if (result) process.stdout.write(json ? `${JSON.stringify(result.json)}\n` : `\n== ${name}\n${result.text}\n`);
  } catch (error) {
    // The others may still tell something.
    say(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = 1;
  }
}
process.exit();
