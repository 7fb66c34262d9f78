import { usage } from './error.js';

/** Where programs, packages and images come from: the project's own download hosts, or Go modules built here. */
export type Sources = 'official' | 'built';

const HOSTS = ['https://pkgs.k8s.io/', 'https://registry.k8s.io/v2/', 'https://github.com/'];

const answers = (url: string): Promise<boolean> =>
  fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(3000) }).then(() => true, () => false);

let chosen: Promise<Sources> | undefined;

async function choose(): Promise<Sources> {
  const forced = process.env['DRYDOCK_LAB_SOURCES'];
  if (forced === 'built' || forced === 'official') return forced;
  if (forced) throw usage(`DRYDOCK_LAB_SOURCES=${forced}: unknown`, 'Set it to built or official, or unset it.');
  return (await Promise.all(HOSTS.map(answers))).every(Boolean) ? 'official' : 'built';
}

/** Official when all of its hosts answer within 3 seconds; asked once a process. DRYDOCK_LAB_SOURCES forces it. */
export const sources = (): Promise<Sources> => (chosen ??= choose());

/** The machine's architecture in Debian's, Go's and the registries' word for it. */
export function architecture(): 'amd64' | 'arm64' {
  if (process.arch === 'x64') return 'amd64';
  if (process.arch === 'arm64') return 'arm64';
  throw usage(`this machine's architecture is ${process.arch}`, 'The lab runs on x86-64 and arm64.');
}
