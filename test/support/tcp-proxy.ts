import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A proxy between a client and a server, such as PostgreSQL. It causes the faults of networks. */
export class TcpProxy {
  /** Connections made so far. */
  connections = 0;
  /** Each connection is cut when so many bytes came from the server; taken from the front, one per connection. */
  readonly cutAfterBytes: number[] = [];
  /** While set, connections are cut as soon as they are made. */
  refusing = false;
  /** This many of the next pieces from the server are cut in their middle. The server has done the work, but nobody hears of it. */
  answersToCut = 0;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #target: URL;
  #held = false;

  constructor(target: URL) {
    this.#target = target;
    this.#server = createServer({ pauseOnConnect: true }, (client) => this.#connect(client));
  }

  static async start(targetUrl: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(targetUrl));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** The target's URL through this proxy. */
  get url(): string {
    const url = new URL(this.#target.href);
    url.hostname = '127.0.0.1';
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  /** Where connections go that are made from now on. */
  retarget(url: string): void {
    this.#target = new URL(url);
  }

  /** Cuts all connections now. */
  cut(): void {
    for (const link of this.#links) link.cut();
  }

  /** Lets no byte pass, in either direction, until `release`. Connections can be made, as with a host that hangs. */
  hold(): void {
    this.#held = true;
    for (const link of this.#links) link.hold();
  }

  release(): void {
    this.#held = false;
    for (const link of this.#links) link.release();
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
    const limitBytes = this.cutAfterBytes.shift() ?? Number.POSITIVE_INFINITY;
    const link = new Link(client, server, { limitBytes, isCutHere: () => this.#isCutHere() });
    this.#links.add(link);
    client.once('close', () => this.#links.delete(link));
    if (!this.#held) link.release();
  }

  #isCutHere(): boolean {
    if (this.answersToCut === 0) return false;
    this.answersToCut -= 1;
    return true;
  }
}

interface LinkOptions {
  /** Of bytes from the server, after which the connection is cut. */
  readonly limitBytes: number;
  /** Asked for each piece from the server. */
  readonly isCutHere: () => boolean;
}

/** One connection through the proxy, held until its first `release`. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #options: LinkOptions;
  #bytes = 0;
  #held = true;

  constructor(client: Socket, server: Socket, options: LinkOptions) {
    this.#client = client;
    this.#server = server;
    this.#options = options;
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on('error', () => undefined);
      socket.on('close', () => other.destroySoon());
    }
    server.on('data', (piece) => this.#answer(piece));
    server.pause();
    client.on('drain', () => {
      if (!this.#held) server.resume();
    });
  }

  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  hold(): void {
    this.#held = true;
    this.#client.unpipe(this.#server);
    this.#client.pause();
    this.#server.pause();
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#client.pipe(this.#server);
    this.#server.resume();
  }

  #answer(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#options.limitBytes) return this.cut();
    if (this.#options.isCutHere()) {
      this.#client.write(piece.subarray(0, piece.length / 2), () => this.cut());
      this.#server.pause();
    } else if (!this.#client.write(piece)) this.#server.pause();
  }
}
