import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const ENTRY = 'infra/sweeper/handler.ts';

/** CommonJS packages load Node's own modules by `require`, which an ES module lacks. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/**
 * Leaves the HTTP client of workers out of the bundle, which is a fifth of the whole. The bundle has every kind of fleet, with
 * what its passes need, but a sweep calls no worker.
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
  /** The files that it was made from, relative to the repository. */
  readonly inputs: readonly string[];
  /** What it still imports when it runs. */
  readonly imports: readonly string[];
}

/**
 * Makes the sweeper's function as one ES module, for a file `index.mjs`. Its handler is `index.handler`. It contains all that
 * it needs. It does not use the AWS SDK of Lambda's runtime, which changes by itself: its SDK is that of our lockfile. The same
 * sources give the same bytes in any folder. Names are kept, so a person can read stack traces in the log.
 */
export async function bundleSweeper(): Promise<string> {
  return (await buildSweeper(REPOSITORY)).code;
}

/**
 * Writes the same to a file. Pulumi keeps only the digest of a file in its state, but the whole of a text. The file is in the
 * packages' folder of caches, at the same place each time.
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
