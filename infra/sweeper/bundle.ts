import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const ENTRY = 'infra/sweeper/handler.ts';

/** CommonJS packages ask for Node's own modules by `require`, which an ES module has not by itself. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/**
 * Every kind of fleet is in the bundle, with what its passes need; but a sweep calls no worker, so the HTTP client of those
 * calls, a fifth of the whole, is left out.
 */
const withoutWorkerCalls: Plugin = {
  name: 'without-worker-calls',
  setup: (bundle) =>
    bundle.onLoad({ filter: /[/\\]orchestrator[/\\]fleet[/\\]worker-client\.ts$/ }, () => ({
      contents: "export class WorkerClient { constructor() { throw new Error('a sweep calls no worker'); } }",
    })),
};

interface BuiltSweeper {
  readonly code: string;
  /** The files that it was made of, relative to the repository. */
  readonly inputs: readonly string[];
  /** What it still imports when it runs. */
  readonly imports: readonly string[];
}

/**
 * The sweeper's function as one ES module, for a file `index.mjs`; its handler is `index.handler`. It needs nothing beside
 * itself, also not the AWS SDK that Lambda's runtime carries: that one changes by itself, this one is our lockfile's.
 * The same sources give the same bytes, wherever they lie. Names are kept, so that a stack in the log can be read.
 */
export async function bundleSweeper(): Promise<string> {
  return (await buildSweeper(REPOSITORY)).code;
}

/**
 * The same as a file, for Pulumi keeps a file's digest in its state, and a text as a whole. It lies among the packages, where
 * caches lie, at the same place each time.
 */
export async function sweeperFile(): Promise<string> {
  const folder = join(REPOSITORY, 'node_modules', '.cache', 'reindex-fleet');
  const file = join(folder, 'sweeper.mjs');
  await mkdir(folder, { recursive: true });
  // Another deployment may be reading it.
  const half = `${file}.${process.pid}`;
  await writeFile(half, await bundleSweeper());
  await rename(half, file);
  return file;
}

/** @param repository the folder that holds the sources and their packages */
export async function buildSweeper(repository: string): Promise<BuiltSweeper> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: repository,
    entryPoints: [ENTRY],
    outfile: 'index.mjs',
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    banner: { js: REQUIRE },
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'eof',
    charset: 'utf8',
    plugins: [withoutWorkerCalls],
    logLevel: 'silent',
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error('esbuild has made no file of the sweeper');
  const imports = Object.values(metafile.outputs).flatMap((file) => file.imports.map(({ path }) => path));
  return { code: output.text, inputs: Object.keys(metafile.inputs).sort(), imports };
}
