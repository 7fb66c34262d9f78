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
    // Temporal's own errors are expected anywhere; what knows them is loaded only now.
    const exit = error instanceof Exit ? error : (await import('./maintenance.js')).asExit(error);
    process.stderr.write(`drydock: ${exit.code === EXIT.defect ? 'a defect, please report it:\n' : ''}${plain(exit.message, true)}\n`);
    return exit.code;
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
