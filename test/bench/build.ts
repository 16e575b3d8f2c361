import { writeFile } from 'node:fs/promises';
import { getCompileCacheDir } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ClientBase } from 'pg';
import type { DescribedDefinition, IndexDefinition } from '../../definition/definition.ts';
import type * as Describe from '../../definition/describe.ts';
import type * as Digest from '../../definition/digest.ts';
import type * as Load from '../../definition/load.ts';
import type * as Contract from '../../worker/contract.ts';
import { HEADER_EPOCH, HEADER_RUN, WORKER_NODE_FLAGS } from '../../worker/contract.ts';
import { Child } from './child.ts';
import { sampleDefinition } from './sample-table.ts';

const POLL_MS = 100;
const HEADERS = { [HEADER_RUN]: 'bench', [HEADER_EPOCH]: '1', 'content-type': 'application/json' };
const NAMES = {
  index: 'bench',
  write_alias: 'bench-write-1',
  dead_letter_alias: 'bench-dead-letters-write-1',
};

/** The part of a task's status that every known version of the contract has. */
interface Status {
  readonly active: boolean;
  readonly rows_read: number;
  readonly targets: readonly { readonly indexed: number }[];
  readonly start_time: string;
  readonly finish_time: string | null;
  readonly error: unknown;
}

/** The targets of a task, as each version of the contract writes them. */
const TARGETS_OF: Readonly<Record<number, (definition: string, digest: string) => object>> = {
  2: () => NAMES,
  3: (definition, digest) => ({ kind: 'bulk', definition, definition_digest: digest, ...NAMES }),
};

/** What is measured for one task over the whole table. */
export interface Taken {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  readonly peakBytes: number;
}

export interface BuildOptions {
  /** Its name in the output. */
  readonly name: string;
  /** The folder of a checkout, with its packages installed. */
  readonly root: string;
  readonly table: string;
  readonly client: ClientBase;
  readonly databaseUrl: string;
  readonly folder: string;
}

/** One build of the project with its worker and its own sink. It is called in its own version of the contract. */
export class Build {
  readonly name: string;
  readonly described: DescribedDefinition;
  readonly #task: Readonly<Record<string, unknown>>;
  readonly #worker: Child;
  readonly #sink: Child;
  readonly #sinkUrl: string;
  readonly #workerUrl: string;
  #tasks = 0;

  private constructor(parts: Parts) {
    this.name = parts.name;
    this.described = parts.described;
    this.#task = parts.task;
    this.#worker = parts.worker;
    this.#sink = parts.sink;
    this.#sinkUrl = parts.sinkUrl;
    this.#workerUrl = parts.workerUrl;
  }

  /** Starts its worker over a definition of the sample table. */
  static async start({ name, root, table, client, databaseUrl, folder }: BuildOptions): Promise<Build> {
    const definitions = join(folder, `${name}.yaml`);
    await writeFile(definitions, sampleDefinition(table));
    const { described, task } = await taskOf(resolve(root), definitions, client);
    const sink = new Child(new URL('null-sink.ts', import.meta.url), {});
    const sinkUrl = await sink.firstLine;
    const worker = new Child(pathToFileURL(join(resolve(root), 'worker', 'main.ts')), {
      nodeFlags: WORKER_NODE_FLAGS,
      args: ['--exit-with-parent', '--port', '0', '--id', 'bench'],
      environment: {
        REINDEX_WORKER_DEFINITIONS: definitions,
        REINDEX_WORKER_DATABASE_URL: databaseUrl,
        REINDEX_WORKER_SEARCH_URL: sinkUrl,
        // The local fleet starts its workers with these flags too.
        NODE_COMPILE_CACHE: getCompileCacheDir() ?? '',
      },
    });
    const { url: workerUrl } = JSON.parse(await worker.firstLine) as { url: string };
    return new Build({ name, described, task, worker, sink, sinkUrl, workerUrl });
  }

  /** Reindexes the table once. */
  async run(rows: number): Promise<Taken> {
    const before = await this.#worker.usage();
    const status = await this.#reindex();
    const after = await this.#worker.usage();
    if (status.error !== null || status.rows_read !== rows || status.targets[0]?.indexed !== rows) {
      throw new Error(`The task of ${this.name} did not index ${rows} rows: ${JSON.stringify(status)}`);
    }
    return {
      seconds: (Date.parse(status.finish_time ?? '') - Date.parse(status.start_time)) / 1_000,
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      rssBytes: after.rssBytes,
      peakBytes: after.peakBytes,
    };
  }

  /** The sink's processor time so far in seconds, and the number of documents that it got. */
  async sinkUsage(): Promise<{ cpuSeconds: number; documents: number }> {
    const { documents } = (await (await fetch(this.#sinkUrl)).json()) as { documents: number };
    return { cpuSeconds: (await this.#sink.usage()).cpuSeconds, documents };
  }

  async stop(): Promise<void> {
    await this.#worker.stop();
    await this.#sink.stop();
  }

  async #reindex(): Promise<Status> {
    const id = `bench-${++this.#tasks}`;
    const task = { ...this.#task, task_id: id, range_id: String(this.#tasks) };
    const accepted = await fetch(`${this.#workerUrl}/reindexing_task`, {
      method: 'POST',
      headers: HEADERS,
      body: JSON.stringify(task),
    });
    if (accepted.status !== 202)
      throw new Error(`The worker of ${this.name} answered ${accepted.status}: ${await accepted.text()}`);
    for (;;) {
      const response = await fetch(`${this.#workerUrl}/task/${id}`, { headers: HEADERS });
      const status = (await response.json()) as Status;
      if (!status.active) return status;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

interface Parts {
  readonly name: string;
  readonly described: DescribedDefinition;
  readonly task: Readonly<Record<string, unknown>>;
  readonly worker: Child;
  readonly sink: Child;
  readonly sinkUrl: string;
  readonly workerUrl: string;
}

/** The request for a task over the whole table. The build itself reads the definition and makes its digest. */
async function taskOf(
  root: string,
  definitions: string,
  client: ClientBase,
): Promise<{ described: DescribedDefinition; task: Readonly<Record<string, unknown>> }> {
  const [contract, load, describe, digest] = await Promise.all([
    importFrom<typeof Contract>(root, 'worker/contract.ts'),
    importFrom<typeof Load>(root, 'definition/load.ts'),
    importFrom<typeof Describe>(root, 'definition/describe.ts'),
    importFrom<typeof Digest>(root, 'definition/digest.ts'),
  ]);
  const version = contract.CONTRACT_VERSION;
  const targetOf = TARGETS_OF[version];
  if (targetOf === undefined) {
    const known = Object.keys(TARGETS_OF).join(', ');
    throw new Error(
      `${root} speaks version ${version} of the contract, the benchmark ${known}: add it here.`,
    );
  }
  const [definition] = (await load.loadDefinitions(definitions)) as [IndexDefinition];
  const described = await describe.describeDefinition(client, definition);
  const full = digest.describedDigest(described);
  const task = {
    run: 'bench',
    attempt: 1,
    worker_id: 'bench',
    definition: definition.name,
    definition_digest: full,
    targets: [targetOf(definition.name, full)],
    start_index: null,
    end_index: null,
    max_bytes_in_flight: 64 * 1024 * 1024,
  };
  return { described, task };
}

async function importFrom<Module>(root: string, path: string): Promise<Module> {
  return (await import(pathToFileURL(join(root, path)).href)) as Module;
}
