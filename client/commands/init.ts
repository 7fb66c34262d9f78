import { access, appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { initialConfig } from '../../config/init.js';
import { type Discovered, type DiscoverInput, TASK_QUEUE } from '../../workflows/messages.js';
import { type Common, say } from '../context.js';
import { EXIT, Exit } from '../exit.js';
import { asExit } from '../maintenance.js';
import { plain } from '../render/plain.js';
import { nameHolder } from '../service/registry.js';
import { check } from './plan.js';

export interface InitOptions extends Common {
  readonly kubeconfig?: string;
  readonly name?: string;
  readonly output: string;
  readonly user: string;
  readonly port: string;
  readonly identity?: string;
  readonly knownHosts: string;
  readonly acceptHostKeys?: boolean;
}

const home = (path: string): string => (path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : resolve(path));

/** drydock.yaml from a kubeconfig: nodes, roles, addresses, host keys shown and recorded by a person's word, then the checks. */
export async function init(options: InitOptions): Promise<number> {
  const output = resolve(options.output);
  if (await exists(output)) throw new Exit(EXIT.usage, `${output} exists already. Give another --output, or move it away.`);
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Exit(EXIT.usage, `--port: found ${options.port}, wanted 1 to 65535`);
  const kubeconfig = home(options.kubeconfig ?? process.env['KUBECONFIG']?.split(':')[0] ?? '~/.kube/config');
  if (!(await exists(kubeconfig))) throw new Exit(EXIT.usage, `The kubeconfig ${kubeconfig} does not exist. Give --kubeconfig FILE.`);

  const found = await discover({ kubeconfig, port });
  say(`${found.cluster}: Kubernetes ${found.version}, ${found.nodes.length} nodes`);
  const cluster = clusterName(options.name ?? found.cluster);
  const holder = await nameHolder(cluster, output);
  if (holder !== undefined) throw new Exit(EXIT.usage, `The name ${cluster} is taken by the cluster that ${holder} describes. Give this one another: --name NAME`);
  const knownHosts = home(options.knownHosts);
  await recordHostKeys(found, knownHosts, port, options.acceptHostKeys ?? false);

  await mkdir(dirname(output), { recursive: true });
  await writeFile(output, initialConfig({
    cluster,
    nodes: found.nodes.map(({ name, host, role }) => ({ name, address: host, role })),
    kubeconfig: inFile(kubeconfig, output), user: options.user, port, knownHosts: inFile(knownHosts, output),
    ...(options.identity ? { identity: inFile(home(options.identity), output) } : { agent: process.env['SSH_AUTH_SOCK'] !== undefined }),
  }), { flag: 'wx', mode: 0o644 });
  say(`${output} is written. Checking SSH, sudo and the rest:`);
  return check({ config: output, ...(options.json ? { json: true } : {}) });
}

async function discover(input: DiscoverInput): Promise<Discovered> {
  const { Client, Connection } = await import('@temporalio/client');
  const { ensureService } = await import('../service/embedded.js');
  const { address } = await ensureService(say).catch((error: Error) => {
    throw new Exit(EXIT.unreachable, error.message);
  });
  const connection = await Connection.connect({ address }).catch((error: Error) => {
    throw new Exit(EXIT.unreachable, `Temporal at ${address} cannot be reached: ${error.message}`);
  });
  try {
    return await new Client({ connection }).workflow.execute<(given: DiscoverInput) => Promise<Discovered>>('discoverCluster', {
      taskQueue: TASK_QUEUE, workflowId: `discover/${Date.now().toString(36)}-${process.pid}`, workflowExecutionTimeout: '60 seconds', staticSummary: 'Look at a new cluster', args: [input],
    });
  } catch (error) {
    throw asExit(error);
  } finally {
    await connection.close();
  }
}

/** The only place where a host key is ever taken over, and only by a person's word (or --accept-host-keys). A known host is left to the checks. */
async function recordHostKeys(found: Discovered, knownHosts: string, port: number, accept: boolean): Promise<void> {
  const known = await readFile(knownHosts, 'utf8').catch(() => '');
  const lines: string[] = [];
  for (const { name, host, hostKey } of found.nodes) {
    const entry = port === 22 ? host : `[${host}]:${port}`;
    if (known.split('\n').some((line) => line.split(/[ ,]/).includes(entry))) continue;
    if ('why' in hostKey) {
      say(`${name} (${entry}): no host key: ${hostKey.why}`);
      continue;
    }
    process.stderr.write(`${plain(`  ${name} (${entry})  ${hostKey.type}  ${hostKey.fingerprint}`)}\n`);
    lines.push(`${entry} ${hostKey.type} ${hostKey.base64}`);
  }
  if (lines.length === 0) return;
  if (!accept && !(await yes(`Compare these fingerprints with the machines themselves (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub). Record them in ${knownHosts}?`))) {
    say('Host keys were not recorded; the checks will refuse those hosts until they are.');
    return;
  }
  await mkdir(dirname(knownHosts), { recursive: true, mode: 0o700 });
  await appendFile(knownHosts, `${known === '' || known.endsWith('\n') ? '' : '\n'}${lines.join('\n')}\n`, { mode: 0o600 });
}

async function yes(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

const exists = (path: string): Promise<boolean> => access(path).then(() => true, () => false);
const clusterName = (text: string): string => text.toLowerCase().replace(/[^a-z0-9-]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 63) || 'kubernetes';

/** Relative where it lies beside the file, so that the folder can be moved. */
function inFile(path: string, file: string): string {
  const near = relative(dirname(file), path);
  return near.startsWith('..') || isAbsolute(near) ? path : `./${near}`;
}
