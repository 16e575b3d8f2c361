import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a client and PostgreSQL, to do what networks do. */
export class TcpProxy {
  /** Connections made so far. */
  connections = 0;
  /** Each connection is cut when so many bytes came from the server; taken from the front, one per connection. */
  readonly cutAfterBytes: number[] = [];
  /** While set, connections are cut as soon as they are made. */
  refusing = false;
  readonly #server: Server;
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();

  constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((client) => this.#connect(client));
  }

  static async start(targetUrl: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(targetUrl));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** The target's URL, but through here. */
  get url(): string {
    const url = new URL(this.#target.href);
    url.hostname = '127.0.0.1';
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  /** Cuts all connections now. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #connect(client: Socket): void {
    this.connections++;
    if (this.refusing) {
      client.destroy();
      return;
    }
    const server = connect(Number(this.#target.port), this.#target.hostname);
    const limit = this.cutAfterBytes.shift() ?? Number.POSITIVE_INFINITY;
    let bytes = 0;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(server);
    server.on('data', (piece) => {
      bytes += piece.length;
      if (bytes > limit) client.destroy();
      else if (!client.write(piece)) server.pause();
    });
    client.on('drain', () => server.resume());
  }
}
