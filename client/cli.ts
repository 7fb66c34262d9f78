import { Command } from 'commander';
import type { InitOptions } from './commands/init.js';

export { CommanderError } from 'commander';

type Ended = (code: number) => void;
type Options = Record<string, unknown>;

/** Adds the options that every command has, and runs `act` with them; each command's code is loaded only when it is used, so that `--help` is quick. */
function command(program: Command, ended: Ended, usage: string, description: string, examples: string, act: (args: string[], options: Options) => Promise<number>): Command {
  return program
    .command(usage)
    .description(description)
    .option('--config <file>', 'configuration file (default: DRYDOCK_CONFIG, else ./drydock.yaml)')
    .option('--json', 'answer in JSON, for machines')
    .addHelpText('after', `\nExamples:\n${examples.trim().split('\n').map((line) => `  ${line.trim()}`).join('\n')}`)
    .action(async (...given: unknown[]) => {
      const self = given.at(-1) as Command;
      ended(await act(self.args, self.opts()));
    });
}

export function buildProgram(ended: Ended): Command {
  const program = new Command('drydock')
    .description('Durable maintenance for kubeadm clusters: every step recorded, resumable after any kill, steerable at any time.')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText('after', `
Exit codes: 0 done · 1 defect · 2 usage or configuration · 3 refused by plan or preflight · 4 waiting for a decision, or nodes failed ·
            5 aborted · 6 Temporal or the cluster cannot be reached · 7 another maintenance holds this cluster

Start here: drydock demo (a real cluster, upgraded while you look) · drydock init (your own cluster)`);
  const add = (usage: string, description: string, examples: string, act: (args: string[], options: Options) => Promise<number>): Command =>
    command(program, ended, usage, description, examples, act);

  add('init', 'write drydock.yaml from a kubeconfig; show and record host keys', `
      drydock init --kubeconfig ~/.kube/config --user ops --identity ~/.ssh/id_ed25519
      drydock init --kubeconfig admin.conf --output clusters/prod.yaml --accept-host-keys`, async (_args, options) => (await import('./commands/init.js')).init(options as unknown as InitOptions))
    .option('--kubeconfig <file>', 'kubeconfig of the cluster (default: KUBECONFIG, else ~/.kube/config)')
    .option('--name <cluster>', 'name for the cluster (default: the one kubeadm gave it)')
    .option('--output <file>', 'file to write', 'drydock.yaml')
    .option('--user <user>', 'SSH user', 'root')
    .option('--port <port>', 'SSH port', '22')
    .option('--identity <file>', 'SSH private key')
    .option('--known-hosts <file>', 'known_hosts file to verify against and to record in', '~/.ssh/known_hosts')
    .option('--accept-host-keys', 'record the shown host keys without asking');

  add('config', 'show the configuration with every default filled in', `
      drydock config
      drydock config --json | jq .spec.upgrade`, async (_args, options) => (await import('./commands/config.js')).config(options));

  add('check', 'every preflight, all findings at once; changes nothing', `
      drydock check
      drydock check --to 1.37 --json`, async (_args, options) => (await import('./commands/plan.js')).check(options))
    .option('--to <version>', 'check for an upgrade to this version (default: the next minor)');

  add('plan <operation>', 'the plan of an upgrade: order, packages, drains, budgets, estimate', `
      drydock plan upgrade --to 1.37
      drydock plan upgrade --to 1.37.2 --out plan.json && drydock upgrade plan.json`, async (args, options) => (await import('./commands/plan.js')).plan(args, options))
    .requiredOption('--to <version>', 'a minor (1.37: its newest patch) or a version (1.37.2)')
    .option('--out <file>', 'write the plan to a file')
    .option('--workers <strategy>', 'rolling or all-at-once')
    .option('--max-unavailable <n>', 'workers away at once: a count or a share (20%)');

  add('upgrade [plan]', 'carry out an upgrade', `
      drydock upgrade --to 1.37
      drydock upgrade --to 1.37.2 --yes --detach
      drydock upgrade plan.json`, async (args, options) => (await import('./commands/upgrade.js')).upgrade(args, options))
    .option('--to <version>', 'a minor (1.37: its newest patch) or a version (1.37.2)')
    .option('--yes', 'do not ask')
    .option('--detach', 'start it and return')
    .option('--workers <strategy>', 'rolling or all-at-once')
    .option('--max-unavailable <n>', 'workers away at once: a count or a share (20%)');

  add('status', 'what runs, where it is, what it waits for', `
      drydock status
      drydock status --json | jq .waitingFor`, async (_args, options) => (await import('./commands/status.js')).status(options));

  add('watch', 'follow the running maintenance; Ctrl-C detaches', `
      drydock watch
      drydock watch --json`, async (_args, options) => (await import('./commands/status.js')).watch(options));

  const why = (what: Command): Command => what.option('--why <text>', 'the reason, kept with the run');
  const steer = async (update: 'pause' | 'resume' | 'retry' | 'skip' | 'abort' | 'approve', args: string[], options: Options): Promise<number> =>
    (await import('./commands/steer.js')).steer(update, args, options);
  why(add('pause', 'hold before the next step on every node', 'drydock pause --why "lunch"', (args, options) => steer('pause', args, options)));
  why(add('resume', 'go on after a pause', 'drydock resume', (args, options) => steer('resume', args, options)));
  why(add('approve [digest]', 'approve the plan that waits', 'drydock approve 3f9a0c12be77', (args, options) => steer('approve', args, options)));
  why(add('retry [node]', 'try the failed step again', 'drydock retry worker-2 --why "disk replaced"\ndrydock retry', (args, options) => steer('retry', args, options)));
  why(add('skip <node>', 'leave a node as it is and go on with the others', 'drydock skip worker-2 --why "goes to the shop"', (args, options) => steer('skip', args, options)));
  why(add('abort', 'stop: the command under way ends, what is safe to undo is undone', 'drydock abort --why "wrong night"', (args, options) => steer('abort', args, options)))
    .option('--detach', 'do not wait for the end');

  add('open', 'the address of the web UI at the right workflow', 'drydock open', async (_args, options) => (await import('./commands/open.js')).open(options));

  add('service <action>', 'the embedded Temporal: status, stop or logs', `
      drydock service status --json
      drydock service logs
      drydock service stop`, async (args, options) => (await import('./commands/service.js')).service(args, options));

  add('worker', 'run a worker for one or more clusters, in the foreground', `
      drydock worker --cluster-config prod.yaml --cluster-config edge.yaml --address temporal:7233`, async (_args, options) => (await import('./commands/worker.js')).worker(options))
    .option('--cluster-config <file>', 'configuration of a cluster; repeatable', (value: string, before: string[] = []) => [...before, value])
    .option('--address <host:port>', 'Temporal server (default: temporal.address of the first file)')
    .option('--namespace <name>', 'Temporal namespace');

  add('demo', 'the main job, watched live: a real cluster is upgraded while you look', `
      drydock demo
      drydock demo --keep`, async (_args, options) => (await import('./commands/demo.js')).demo(options as { controlPlanes: string; workers: string }))
    .option('--keep', 'leave the cluster up afterwards')
    .option('--control-planes <n>', 'control-plane nodes', '1')
    .option('--workers <n>', 'worker nodes', '2');

  program
    .command('lab')
    .description('real throw-away kubeadm clusters in Docker (drydock lab -h)')
    .helpOption(false)
    .allowUnknownOption()
    .argument('[args...]')
    .action(async (args: string[], _options: Options, self: Command) => {
      const { labCommand } = await import('../lab/cli.js');
      ended(await labCommand(self.args.length > 0 ? self.args : args));
    });
  return program;
}
