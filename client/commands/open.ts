import { maintenanceId } from '../../workflows/messages.js';
import { type Common, openContext } from '../context.js';
import { EXIT, Exit } from '../exit.js';
import { heldBy } from '../maintenance.js';

export const webAddress = (webUi: string, namespace: string, cluster: string, runId?: string): string =>
  `${webUi}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(maintenanceId(cluster))}${runId ? `/${runId}` : ''}`;

export async function open(options: Common): Promise<number> {
  const context = await openContext(options);
  try {
    if (!context.webUi) throw new Exit(EXIT.usage, 'No web UI is known for this Temporal server: set temporal.webUi in drydock.yaml.');
    const held = await heldBy(context);
    const address = webAddress(context.webUi, context.config.temporal?.namespace ?? 'default', context.cluster, held?.runId);
    process.stdout.write(options.json ? `${JSON.stringify({ address })}\n` : `${address}\n`);
    return EXIT.done;
  } finally {
    await context.close();
  }
}
