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

/** Runs a go command that fetches modules; a version that is not to be had is the caller's choice to change. */
export async function fetchModules(what: string, cwd: string, args: string[], neighbours: string): Promise<string> {
  try {
    return await go(what, cwd, args, 900);
  } catch (error) {
    if (!(error instanceof LabError) || !/unknown revision|not available|not found|40[34]|410/i.test(error.message)) throw error;
    throw new LabError(`${what}: this version is not to be had as a Go module here\n${error.message}`, neighbours, 2);
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
  await fetchModules(`${what}: fetching modules`, folder, ['get', ...modules], 'Pick a neighbour in lab/versions.ts.');
  await go(`${what}: go mod tidy`, folder, ['mod', 'tidy'], 900);
  await buildPrograms(what, folder, programs, flags);
}
