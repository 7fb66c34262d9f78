import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXIT, Exit } from './exit.js';
import { plain } from './render/plain.js';

/** Runs one command line and returns its exit code. Everything expected ends as an Exit; anything else is a defect and shows its stack. */
export async function main(argv: readonly string[]): Promise<number> {
  const { buildProgram, CommanderError } = await import('./cli.js');
  let code: number = EXIT.done;
  const program = buildProgram((ended) => (code = ended));
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof Exit) {
      process.stderr.write(`drydock: ${plain(error.message, true)}\n`);
      return error.code;
    }
    process.stderr.write(`drydock: a defect, please report it:\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return EXIT.defect;
  }
}

/** The libraries need it; asked before any of them is loaded. */
function nodeIsNewEnough(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 20 || (major === 20 && minor >= 19);
}

/* The only place that ends the process. */
if (realpathSync(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  if (!nodeIsNewEnough()) {
    process.stderr.write(`drydock: Node.js 20.19 or later is needed, found ${process.version}. Install a newer one and run this again.\n`);
    process.exit(EXIT.usage);
  }
  // A closed pipe (`drydock status | head`) is no defect.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.defect));
  process.exit(await main(process.argv.slice(2)));
}
