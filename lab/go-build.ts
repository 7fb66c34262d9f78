import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LabError } from './error.js';
import { run } from './run.js';

const NEXT = 'Install Go 1.24 or later (https://go.dev/dl) so that it is in PATH.';
const ENVIRONMENT = { CGO_ENABLED: '0', GOFLAGS: '-mod=mod -buildvcs=false', GOWORK: 'off' };

/** Runs go with low priority: a build of minutes must not starve the clusters that run beside it. */
export const go = (what: string, cwd: string, args: string[], timeoutSeconds: number, next = NEXT): Promise<string> =>
  run('nice', ['-n', '10', 'go', ...args], { what, cwd, timeoutSeconds, env: ENVIRONMENT, next });

/** Files of a throw-away module, by path below its folder. */
export async function writeModule(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** A Go file that pins programs as dependencies without compiling them in. */
export const toolsFile = (imports: string[]): string =>
  `//go:build tools\n\npackage lab\n\nimport (\n${imports.map((path) => `\t_ "${path}"\n`).join('')})\n`;

/** One program: its import path, the file it becomes. */
export interface Program {
  path: string;
  output: string;
}

export async function buildPrograms(what: string, folder: string, programs: Program[], flags = ''): Promise<void> {
  for (const { path, output } of programs) {
    await go(`${what}: building ${path}`, folder, ['build', '-trimpath', '-ldflags', `-s -w ${flags}`.trim(), '-o', output, path], 3600);
  }
}

/** Builds programs of modules at one version: `modules` are required, `programs` built. */
export async function buildFromModules(what: string, folder: string, modules: string[], programs: Program[], flags = ''): Promise<void> {
  await writeModule(folder, {
    'go.mod': 'module drydock.lab/tools\n\ngo 1.24.0\n',
    'tools.go': toolsFile(programs.map(({ path }) => path)),
  });
  await go(`${what}: fetching modules`, folder, ['get', ...modules], 900).catch((error: unknown) => {
    if (error instanceof LabError && /unknown revision|not available|404|410/i.test(error.message)) {
      throw new LabError(error.message, 'This version cannot be had as a Go module here: pick a neighbour in lab/versions.ts.', 2);
    }
    throw error;
  });
  await go(`${what}: go mod tidy`, folder, ['mod', 'tidy'], 900);
  await buildPrograms(what, folder, programs, flags);
}
