import { join } from 'node:path';
import { dockerReady, labDown, labProbe, labUp, labWorkload, type ProbeReport } from '../../lab/index.js';
import { type Common, openContext, say } from '../context.js';
import { EXIT, Exit } from '../exit.js';
import { readStatus } from '../maintenance.js';
import { webAddress } from './open.js';
import { planAndStart } from './upgrade.js';

interface Options extends Common {
  readonly keep?: boolean;
  readonly controlPlanes: string;
  readonly workers: string;
}

const NAME = 'demo';
const FROM = '1.36';
const TO = '1.37';

/** The main job on a real cluster: up, a workload and probes on it, upgraded with a live view, and what it cost those who used it. */
export async function demo(options: Options): Promise<number> {
  say(`demo on a real kubeadm cluster in Docker: ${options.controlPlanes} control plane(s) and ${options.workers} worker(s), ${FROM} upgraded to ${TO}.`);
  say('The first run fetches or builds all programs (up to 25 minutes where they must be built); later runs take about 6 minutes.');
  const docker = await dockerReady(say);
  if (!docker.ok) throw new Exit(EXIT.usage, `${docker.why}\n${docker.next}`);
  const started = Date.now();
  const cluster = await labUp({ name: NAME, version: FROM, controlPlanes: Number(options.controlPlanes), workers: Number(options.workers), with: [TO], onProgress: say });
  await labWorkload(cluster, { onProgress: say });
  const upSeconds = (Date.now() - started) / 1000;
  const context = await openContext({ config: cluster.config });
  const come = `drydock watch --config ${cluster.config}`;
  try {
    if (context.webUi) say(`watch it in Temporal's web UI too: ${webAddress(context.webUi, 'default', NAME)}`);
    say(`Ctrl-C detaches once; come back with: ${come}`);
    const from = Math.floor(Date.now() / 1000);
    const code = await planAndStart(context, { to: TO, yes: true, config: cluster.config, ...(options.json ? { json: true } : {}) }, undefined);
    const status = await readStatus(context.client, NAME);
    if (status && ['running', 'paused', 'waiting'].includes(status.state)) {
      say(`the upgrade goes on; come back with: ${come}`);
      return code;
    }
    const report = await labProbe(cluster, from);
    process.stdout.write(`\n${probeLines(report).join('\n')}\nLab and workload up in ${Math.round(upSeconds)} s.\n`);
    if (context.webUi) process.stdout.write(`The run in the web UI: ${webAddress(context.webUi, 'default', NAME)}\n`);
    if (options.keep || code !== EXIT.done) process.stdout.write(`The cluster stays up: kubectl --kubeconfig ${join(cluster.dir, 'kubeconfig')} get nodes · away with: drydock lab down ${NAME}\n`);
    else await labDown(NAME, say);
    return code;
  } finally {
    await context.close();
  }
}

function probeLines(report: ProbeReport): string[] {
  const lines = ['Requests from inside and outside the cluster during the upgrade:'];
  for (const [target, { probes, failed }] of Object.entries(report.targets)) lines.push(`  ${target.padEnd(8)} ${String(failed).padStart(4)} failed of ${probes}`);
  return lines;
}
