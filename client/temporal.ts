import { readFile } from 'node:fs/promises';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import type { DrydockConfig } from '../config/load.js';
import type { Context } from './context.js';
import { Exit, EXIT } from './exit.js';
import { say } from './say.js';
import { ensureService } from './service/embedded.js';
import { registerCluster } from './service/registry.js';

type Connected = Pick<Context, 'client' | 'webUi' | 'revive' | 'close'>;

/** The embedded Temporal, started where it does not run, or the one that the configuration names. Throws Exit 6 when it cannot be reached. */
export async function connectTemporal(config: DrydockConfig): Promise<Connected> {
  if (config.temporal === undefined) return connectEmbedded(config);
  const { address, namespace } = config.temporal;
  const connection = await reach({ address, ...(await credentials(config.temporal)) }, address);
  return { client: new Client({ connection, namespace }), webUi: config.temporal.webUi, revive: () => Promise.resolve(), close: () => connection.close() };
}

async function connectEmbedded(config: DrydockConfig): Promise<Connected> {
  await registerCluster(config.spec.cluster, config.path);
  const needs = { agent: config.spec.ssh.agent };
  const service = await ensureService(say, needs).catch((error: Error) => {
    throw new Exit(EXIT.unreachable, error.message);
  });
  const connection = await reach({ address: service.address }, service.address);
  return {
    client: new Client({ connection }),
    webUi: service.webUi,
    revive: async () => {
      const { address } = await ensureService(say, needs);
      if (address !== service.address) throw new Exit(EXIT.unreachable, `Temporal came up at ${address}: another program has taken its port. The maintenance goes on; come back: drydock watch`);
    },
    close: () => connection.close(),
  };
}

async function reach(options: ConnectionOptions, address: string): Promise<Connection> {
  try {
    return await Connection.connect({ ...options, connectTimeout: '10 seconds' });
  } catch (error) {
    throw new Exit(EXIT.unreachable, `Temporal at ${address} cannot be reached: ${(error as Error).message}\nCheck temporal.address in drydock.yaml and that the server runs; \`drydock service status\` tells about the embedded one.`);
  }
}

async function credentials(temporal: NonNullable<DrydockConfig['temporal']>): Promise<Partial<ConnectionOptions>> {
  const { tls, apiKeyFile } = temporal;
  return {
    ...(apiKeyFile ? { apiKey: (await readFile(apiKeyFile, 'utf8')).trim() } : {}),
    ...(tls
      ? {
          tls: {
            ...(tls.ca ? { serverRootCACertificate: await readFile(tls.ca) } : {}),
            ...(tls.cert && tls.key ? { clientCertPair: { crt: await readFile(tls.cert), key: await readFile(tls.key) } } : {}),
            ...(tls.serverName ? { serverNameOverride: tls.serverName } : {}),
          },
        }
      : {}),
  };
}
