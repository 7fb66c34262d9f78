import { parseArgs } from 'node:util';
import { execa } from 'execa';
import color from 'picocolors';
import { build } from './build.js';
import { clusterOfNode, labCluster, labList } from './cluster-files.js';
import { labDown, labDownAll } from './down.js';
import { LabError, reason, usage } from './error.js';
import { HELP } from './help.js';
import { kubectlCommand } from './kubeadm.js';
import { labProbe } from './probe.js';
import { createProgress } from './progress.js';
import { clusterText, probeText } from './render.js';
import { sshHere } from './ssh.js';
import { labUp } from './up.js';
import { DEFAULT_MINOR, resolveVersion } from './versions.js';
import { labWorkload } from './workload.js';

const onProgress = (line: string): void => console.error(color.dim(line));
const print = (text: string): void => console.log(text);
const asJson = (value: unknown): string => JSON.stringify(value, null, 2);

/** Reads options and the names before them; a mistake is a usage error that points at -h. */
function read<T extends NonNullable<Parameters<typeof parseArgs>[0]>['options']>(command: string, args: string[], options: T, names: [number, number]) {
  const parse = () => parseArgs({ args, options, allowPositionals: true, strict: true });
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    throw usage(reason(error), `See drydock lab ${command} -h.`);
  }
  const [least, most] = names;
  const { length } = parsed.positionals;
  if (length < least) throw usage(`${command}: a name is missing`, `See drydock lab ${command} -h.`);
  if (length > most) throw usage(`${command}: ${JSON.stringify(parsed.positionals[most])} is one too many`, `See drydock lab ${command} -h.`);
  return { values: parsed.values, names: parsed.positionals, name: parsed.positionals[0] ?? '' };
}

function count(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d+$/.test(text)) throw usage(`--${option} ${text}: not a number`, 'Give a whole number.');
  return Number(text);
}

async function up(args: string[]): Promise<number> {
  const { values, name } = read('up', args, {
    version: { type: 'string', default: DEFAULT_MINOR },
    'control-planes': { type: 'string' },
    workers: { type: 'string' },
    with: { type: 'string', multiple: true },
    etcd: { type: 'string', default: 'stacked' },
    json: { type: 'boolean', default: false },
  } as const, [1, 1]);
  if (values.etcd === 'external') throw usage('--etcd external is not there yet', 'Leave it out: etcd then runs on the control planes.');
  if (values.etcd !== 'stacked') throw usage(`--etcd ${values.etcd}: unknown`, 'Leave it out: etcd then runs on the control planes.');
  const cluster = await labUp({
    name,
    version: values.version,
    controlPlanes: count('control-planes', values['control-planes'], 1),
    workers: count('workers', values.workers, 2),
    with: values.with ?? [],
    onProgress,
  });
  print(values.json ? asJson(cluster) : clusterText(cluster));
  return 0;
}

async function down(args: string[]): Promise<number> {
  const { values, names, name } = read('down', args, { all: { type: 'boolean', default: false } } as const, [0, 1]);
  if (values.all === names.length > 0) throw usage('down: a name, or --all', 'See drydock lab down -h.');
  await (values.all ? labDownAll(onProgress) : labDown(name, onProgress));
  return 0;
}

async function list(args: string[]): Promise<number> {
  const { values } = read('list', args, { json: { type: 'boolean', default: false } } as const, [0, 0]);
  const clusters = await labList();
  if (values.json) print(asJson(clusters));
  else print(clusters.map(clusterText).join('\n') || 'There is no lab cluster. Make one: drydock lab up NAME');
  return 0;
}

async function workload(args: string[]): Promise<number> {
  const { values, name } = read('workload', args, { 'no-bare-pod': { type: 'boolean', default: false } } as const, [1, 1]);
  await labWorkload(await labCluster(name), { barePod: !values['no-bare-pod'], onProgress });
  return 0;
}

async function probe(args: string[]): Promise<number> {
  const { values, name } = read('probe', args, { since: { type: 'string' }, json: { type: 'boolean', default: false } } as const, [1, 1]);
  const report = await labProbe(await labCluster(name), count('since', values.since, 0));
  print(values.json ? asJson(report) : probeText(report));
  return 0;
}

async function buildAhead(args: string[]): Promise<number> {
  const { names } = read('build', args, {} as const, [1, 100]);
  await build(names.map(resolveVersion), createProgress(onProgress));
  return 0;
}

async function kubeconfig(args: string[]): Promise<number> {
  const { name } = read('kubeconfig', args, {} as const, [1, 1]);
  print((await labCluster(name)).kubeconfig);
  return 0;
}

async function ssh([node = '', ...command]: string[]): Promise<number> {
  if (node === '') throw usage('ssh: which node?', 'See drydock lab list.');
  return sshHere(await clusterOfNode(node), node, command);
}

async function kubectl([name = '', ...args]: string[]): Promise<number> {
  if (name === '') throw usage('kubectl: which cluster?', 'See drydock lab list.');
  const [program, all] = kubectlCommand(await labCluster(name), args);
  return (await execa(program, all, { stdio: 'inherit', reject: false })).exitCode ?? 1;
}

const COMMANDS: Readonly<Record<string, (args: string[]) => Promise<number>>> = { up, down, list, ssh, workload, probe, build: buildAhead, kubeconfig, kubectl };

function help(command: string): number {
  print(HELP[command] ?? HELP[''] ?? '');
  return 0;
}

/** Runs `drydock lab ARGV` and returns its exit code: 0 done, 2 usage or environment, 1 a defect; of ssh and kubectl their own. */
export async function labCommand(argv: string[]): Promise<number> {
  const [name = '-h', ...args] = argv;
  const wantsHelp = (text: string | undefined): boolean => text === '-h' || text === '--help';
  try {
    if (wantsHelp(name) || name === 'help') return help(args[0] ?? '');
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!command) throw usage(`there is no command ${JSON.stringify(name)}`, `There is: ${Object.keys(COMMANDS).join(', ')}.`);
    // Behind a node's or a cluster's name, -h belongs to the program that is run there.
    if (wantsHelp(args[0]) || (name !== 'ssh' && name !== 'kubectl' && args.some(wantsHelp))) return help(name);
    return await command(args);
  } catch (error) {
    console.error(`${color.red('drydock lab:')} ${reason(error)}`);
    if (error instanceof LabError) {
      console.error(`  next: ${error.next}`);
      return error.exitCode;
    }
    if (error instanceof Error && error.stack) console.error(error.stack);
    return 1;
  }
}
