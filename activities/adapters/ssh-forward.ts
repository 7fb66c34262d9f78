import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ClusterSpec, NodeSpec } from '../../domain/cluster.js';
import type { SshPool } from './ssh-pool.js';

/** Local ports that come out on the far side of a node. Each stays open over reconnects until `close`. */
export class LocalForwards {
  readonly #open = new Map<string, Promise<Server>>();

  constructor(private readonly pool: SshPool) {}

  /** Rejects with a StepFailure when the node cannot be reached now. Later losses only break the connections of that moment. */
  async open(cluster: ClusterSpec, node: NodeSpec, host: string, port: number): Promise<{ localPort: number }> {
    const key = JSON.stringify([cluster.ssh, node, host, port]);
    let opening = this.#open.get(key);
    if (!opening) {
      opening = this.#listen(cluster, node, host, port);
      this.#open.set(key, opening);
      opening.catch(() => this.#open.delete(key));
    }
    return { localPort: ((await opening).address() as AddressInfo).port };
  }

  close(): void {
    for (const opening of this.#open.values()) opening.then((server) => server.close(), () => {});
    this.#open.clear();
  }

  async #listen(cluster: ClusterSpec, node: NodeSpec, host: string, port: number): Promise<Server> {
    await this.pool.connection(cluster, node);
    // allowHalfOpen: a client that has sent its request and closed its side still gets the answer.
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      this.pool.connection(cluster, node)
        .then(({ connection }) => connection.forwardOut(host, port))
        .then((channel) => join(socket, channel), () => socket.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    server.unref(); // a forward alone keeps no process alive
    return server;
  }
}

/** Both directions, each with its own end; trouble on one side ends the other. */
function join(socket: Socket, channel: Duplex): void {
  const breakBoth = () => {
    socket.destroy();
    channel.destroy();
  };
  channel.on('error', breakBoth);
  channel.on('close', () => socket.end());
  socket.on('close', () => channel.end());
  socket.setNoDelay(true);
  socket.pipe(channel);
  channel.pipe(socket);
  socket.resume();
}
