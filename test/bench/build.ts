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
import { type Rows, sampleDefinition } from './sample-table.ts';
import { DEAD_LETTER_ALIAS, INDEX, WRITE_ALIAS } from './sinks/sink.ts';
import type { Usage } from './process-usage.ts';

const POLL_MS = 100;
const HEADERS = { [HEADER_RUN]: 'bench', [HEADER_EPOCH]: '1', 'content-type': 'application/json' };
const NAMES = { index: INDEX, write_alias: WRITE_ALIAS, dead_letter_alias: DEAD_LETTER_ALIAS };

/** What a task says of itself in every version of the contract that is known here. */
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
  4: (definition, digest) => ({ kind: 'bulk', definition, definition_digest: digest, ...NAMES }),
};

/** What is measured of one task. */
export interface Taken extends Usage {
  readonly seconds: number;
}

export interface BuildOptions {
  /** What it is called in the output. */
  readonly name: string;
  /** The folder of a checkout, with its packages installed. */
  readonly root: string;
  readonly table: string;
  readonly client: ClientBase;
  readonly databaseUrl: string;
  /** Where its worker writes. */
  readonly sinkUrl: string;
  readonly folder: string;
}

/** One build of the project with its worker: it is asked in the contract's version that it speaks. */
export class Build {
  readonly name: string;
  readonly described: DescribedDefinition;
  readonly #task: Readonly<Record<string, unknown>>;
  readonly #worker: Child;
  readonly #workerUrl: string;
  #tasks = 0;

  private constructor(parts: Parts) {
    this.name = parts.name;
    this.described = parts.described;
    this.#task = parts.task;
    this.#worker = parts.worker;
    this.#workerUrl = parts.workerUrl;
  }

  /** Starts its worker over a definition of the sample table. */
  static async start(options: BuildOptions): Promise<Build> {
    const { name, root, table, client, databaseUrl, sinkUrl, folder } = options;
    const definitions = join(folder, `${name}.yaml`);
    await writeFile(definitions, sampleDefinition(table));
    const { described, task } = await taskOf(resolve(root), definitions, client);
    const worker = Child.node(pathToFileURL(join(resolve(root), 'worker', 'main.ts')), {
      nodeFlags: WORKER_NODE_FLAGS,
      args: ['--exit-with-parent', '--port', '0', '--id', 'bench'],
      environment: {
        REINDEX_WORKER_DEFINITIONS: definitions,
        REINDEX_WORKER_DATABASE_URL: databaseUrl,
        REINDEX_WORKER_SEARCH_URL: sinkUrl,
        // As the local fleet starts its workers.
        NODE_COMPILE_CACHE: getCompileCacheDir() ?? '',
      },
    });
    const { url: workerUrl } = JSON.parse(await worker.firstLine) as { url: string };
    return new Build({ name, described, task, worker, workerUrl });
  }

  /** Reindexes these rows once. */
  async run(rows: Rows): Promise<Taken> {
    const before = await this.#worker.usage();
    const status = await this.#reindex(rows);
    const after = await this.#worker.usage();
    const count = rows.end - rows.first;
    if (status.error !== null || status.rows_read !== count || status.targets[0]?.indexed !== count) {
      throw new Error(`The task of ${this.name} did not index ${count} rows: ${JSON.stringify(status)}`);
    }
    return {
      seconds: (Date.parse(status.finish_time ?? '') - Date.parse(status.start_time)) / 1_000,
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      rssBytes: after.rssBytes,
      peakBytes: after.peakBytes,
    };
  }

  /** What its worker took so far. */
  usage(): Promise<Usage> {
    return this.#worker.usage();
  }

  async stop(): Promise<void> {
    await this.#worker.stop();
  }

  async #reindex({ first, end }: Rows): Promise<Status> {
    const id = `bench-${++this.#tasks}`;
    const task = {
      ...this.#task,
      task_id: id,
      range_id: String(this.#tasks),
      start_index: String(first),
      end_index: String(end),
    };
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
  readonly workerUrl: string;
}

/** The request of a task without its range; the build itself reads the definition and makes its digest. */
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
    max_bytes_in_flight: 64 * 1024 * 1024,
  };
  return { described, task };
}

async function importFrom<Module>(root: string, path: string): Promise<Module> {
  return (await import(pathToFileURL(join(root, path)).href)) as Module;
}
