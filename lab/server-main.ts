// The lab's server of packages and images: a process of its own, started and stopped by lab/services.ts.
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { reason } from './error.js';
import { serverPort } from './paths.js';
import { listen } from './server.js';

const addressFile = process.argv[2] ?? '';
const servers = new Map<string, Server>();

/** Listens on exactly the addresses in the file: loopback and the gateway of each lab network, never the outside. */
async function follow(): Promise<void> {
  const addresses = JSON.parse(await readFile(addressFile, 'utf8')) as string[];
  for (const [address, server] of servers) {
    if (addresses.includes(address)) continue;
    server.close();
    server.closeAllConnections();
    servers.delete(address);
  }
  for (const address of addresses) {
    if (servers.has(address)) continue;
    try {
      servers.set(address, await listen(address, serverPort()));
      console.log(`listening on ${address}:${serverPort()}`);
    } catch (error) {
      console.log(`cannot listen on ${address}:${serverPort()}: ${reason(error)}`);
    }
  }
  if (servers.size === 0) process.exit(1);
}

let turn = Promise.resolve();
const queue = (): void => {
  turn = turn.then(follow).catch((error: unknown) => console.log(reason(error)));
};
process.on('SIGHUP', queue);
process.on('SIGTERM', () => process.exit(0));
queue();
