import { join } from 'node:path';
import { startDevelopmentNode } from './development-node.ts';
import { type Example, loadExample } from './example.ts';
import type { DatabaseState, SearchState, ServicePart, ServicesState, Timing } from './keeper-protocol.ts';
import { OnDemand, type Running } from './on-demand.ts';
import { endLeftOverOpensearch, findOpensearchMeans, startOpensearch } from './opensearch.ts';
import { fetchOpensearch, isFetched, OPENSEARCH_VERSION } from './opensearch-distribution.ts';
import { endLeftOverPostgresql, startPostgresql } from './postgresql.ts';

const DEVELOPMENT_NODE = 'built-in development node';

export interface ServicePartsOptions {
  readonly cacheDir: string;
  readonly dataDir: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Ends starts that are under way. */
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

interface SearchService extends Running {
  readonly state: SearchState;
}

interface DevelopmentService extends Running {
  readonly url: string;
}

/** The embedded services. Each starts when it is first wanted. Independent ones start at the same time. */
export class ServiceParts {
  readonly #options: ServicePartsOptions;
  readonly #timings: Timing[] = [];
  readonly #postgresql = new OnDemand(() => this.#startPostgresql());
  readonly #example = new OnDemand(() => this.#loadExample());
  readonly #search = new OnDemand(() => this.#startSearch());
  readonly #development = new OnDemand(() => this.#startDevelopment());

  constructor(options: ServicePartsOptions) {
    this.#options = options;
  }

  /** Ends services of an earlier keeper that was killed together with its guards. */
  async endLeftOvers(): Promise<void> {
    await Promise.all([
      endLeftOverPostgresql(this.#folder('postgresql')),
      endLeftOverOpensearch(this.#folder('opensearch')),
    ]);
  }

  /** Starts the wanted services that do not run yet, and returns where all of them are. */
  async start(wanted: readonly ServicePart[]): Promise<Omit<ServicesState, 'keeperPid' | 'endsWithUsers'>> {
    const wants = (part: ServicePart): boolean => wanted.includes(part);
    const [database, search, development] = await Promise.all([
      wants('database') || wants('example') ? this.#database(wants('example')) : null,
      wants('search') ? this.#search.get() : null,
      wants('development_node') ? this.#development.get() : null,
    ]);
    return {
      database,
      search: search?.state ?? null,
      developmentUrl: development?.url ?? null,
      timings: this.#timings,
    };
  }

  async stop(): Promise<void> {
    await this.#example.stop();
    await Promise.all([this.#postgresql.stop(), this.#search.stop(), this.#development.stop()]);
  }

  async #database(withExample: boolean): Promise<DatabaseState> {
    const { url, port, user, passwordFile } = await this.#postgresql.get();
    const example = withExample ? await this.#example.get() : null;
    return { url, exampleUrl: example?.url ?? null, port, user, passwordFile };
  }

  async #startPostgresql(): ReturnType<typeof startPostgresql> {
    const { cacheDir, onProgress } = this.#options;
    const server = await this.#timed('PostgreSQL started', () =>
      startPostgresql({ cacheDir, dataDir: this.#folder('postgresql') }),
    );
    onProgress(`PostgreSQL runs on 127.0.0.1:${server.port}.`);
    return server;
  }

  async #loadExample(): Promise<Example & Running> {
    const server = await this.#postgresql.get();
    const example = await this.#timed('example data loaded', () => loadExample(server.url));
    if (example.loaded)
      this.#options.onProgress('The example, places of the world by GeoNames (CC BY 4.0), is loaded.');
    return { ...example, isRunning: () => server.isRunning(), stop: async () => {} };
  }

  async #startSearch(): Promise<SearchService> {
    const { cacheDir, environment, onProgress, signal } = this.#options;
    const means = await findOpensearchMeans(cacheDir, environment);
    const missing = 'missing' in means ? means.missing : await this.#fetch(means.maven);
    if ('missing' in means || missing !== null) return this.#developmentInstead(missing ?? '');
    const node = await this.#timed(`OpenSearch started`, () =>
      startOpensearch({ cacheDir, dataDir: this.#folder('opensearch'), java: means.java, signal }),
    );
    onProgress(`OpenSearch ${OPENSEARCH_VERSION} runs at ${node.url}.`);
    return { ...node, state: { url: node.url, node: `OpenSearch ${OPENSEARCH_VERSION}`, missing: null } };
  }

  /** Fetches OpenSearch if it is not in the cache. Returns why this failed; null: OpenSearch is there. */
  async #fetch(maven: string | null): Promise<string | null> {
    const { cacheDir, onProgress, signal } = this.#options;
    if (maven === null || isFetched(cacheDir)) return null;
    onProgress(`Maven fetches OpenSearch ${OPENSEARCH_VERSION}, 162 MB. This happens once.`);
    try {
      await this.#timed('OpenSearch fetched', () => fetchOpensearch(maven, cacheDir, signal));
      return null;
    } catch (error) {
      signal.throwIfAborted();
      return (error as Error).message;
    }
  }

  async #developmentInstead(missing: string): Promise<SearchService> {
    const node = await this.#development.get();
    this.#options.onProgress(
      `The search node is the ${DEVELOPMENT_NODE}. It keeps everything in memory and forgets it when it ends. ${missing}.`,
    );
    return { ...node, stop: async () => {}, state: { url: node.url, node: DEVELOPMENT_NODE, missing } };
  }

  async #startDevelopment(): Promise<DevelopmentService> {
    const node = await startDevelopmentNode({ host: '127.0.0.1', port: 0 });
    return { url: node.url, isRunning: () => true, stop: () => node.stop() };
  }

  #folder(name: string): string {
    return join(this.#options.dataDir, name);
  }

  async #timed<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const begin = performance.now();
    const result = await work();
    this.#timings.push({ name, ms: Math.round(performance.now() - begin) });
    return result;
  }
}
