/** A small input that went wrong once, with what is right. `test/cases/<number>-<slug>/case.ts` exports it as `theCase`. */
export interface Case {
  /** What happens to the run, in a line. */
  readonly title: string;
  /** What is right, in a line. */
  readonly right: string;
  /** Gives the commands and judges what came of them. What it throws is its verdict: not right. */
  play(stage: Stage): Promise<Verdict>;
}

export interface Verdict {
  /** What the build under test did, in a line. */
  readonly got: string;
  readonly ok: boolean;
}

/** What one case works on. Nobody else uses it, and all of it is removed at the end. */
export interface Stage {
  /** An empty database of this case's own. Roles whose names begin with the alias are removed with it. */
  readonly databaseUrl: string;
  /** A real OpenSearch node. Names of indexes, templates, pipelines and policies begin with the case's alias. */
  readonly searchUrl: string;
  /** This case's own alias: small letters, digits and `_`, so that it is a name in SQL too. It is the fleet's name. */
  readonly alias: string;
  /** Where the commands work. It holds `reindex-fleet.yaml`, the folder `definitions`, and the journal. */
  readonly folder: string;
  /** The rows of the text's last statement. All texts of a case go over one connection, one after the other. */
  readonly sql: (text: string) => Promise<Record<string, unknown>[]>;
  /** One call to the search node. A string is newline-delimited JSON. */
  readonly search: (
    method: string,
    path: string,
    body?: unknown,
  ) => Promise<{ status: number; body: unknown }>;
  /** Writes `definitions/NAME.yaml`, by default always the same file, and gives its path. */
  readonly definition: (yaml: string, name?: string) => Promise<string>;
  /**
   * Writes the usual settings of a small run with local workers, changed deeply, and gives their path. Commands find
   * them. Before the first call, the usual settings are there unchanged.
   */
  readonly settings: (change?: Record<string, unknown>) => Promise<string>;
  /** Gives a command of the build under test, and waits for its end. */
  readonly command: (...args: string[]) => Promise<CommandEnd>;
  /** Starts a proxy before the search node, and gives its URL. Where `answer` gives null, the call passes on. */
  readonly proxy: (answer: Answering) => Promise<string>;
  /**
   * Starts a search node that only this case uses, and gives its URL. A case that changes settings of the whole cluster
   * changes them there.
   */
  readonly ownNode: () => Promise<string>;
}

export interface CommandEnd {
  /** Null: a signal ended it. */
  readonly code: number | null;
  /** The last line of standard output. Empty when that is no JSON object. */
  readonly result: Record<string, unknown>;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProxyRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: string;
}

/** What a proxy answers to a call. Null: the call passes on. */
export type Answering = (request: ProxyRequest) => ProxyAnswer | null | Promise<ProxyAnswer | null>;

export interface ProxyAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: string;
}
