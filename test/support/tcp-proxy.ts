import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A way to a port that can fall silent: connections stay open and nothing passes any more, as when a cable is pulled. */
export class TcpProxy {
  #silent = false;
  readonly #sockets: Socket[] = [];

  private constructor(private readonly server: Server) {}

  static async to(port: number): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server);
    server.on('connection', (near) => proxy.#join(near, connect(port, '127.0.0.1')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on nothing passes in old or new connections, until `speak`. */
  silence(): void {
    this.#silent = true;
  }

  speak(): void {
    this.#silent = false;
  }

  close(): void {
    this.server.close();
    this.#sockets.forEach((socket) => socket.destroy());
  }

  #join(near: Socket, far: Socket): void {
    this.#sockets.push(near, far);
    for (const [from, to] of [[near, far], [far, near]] as const) {
      from.on('data', (chunk) => { if (!this.#silent) to.write(chunk); });
      from.on('close', () => { if (!this.#silent) to.destroy(); });
      from.on('error', () => {});
    }
  }
}
