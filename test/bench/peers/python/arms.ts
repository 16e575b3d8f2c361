import { fileURLToPath } from 'node:url';
import type { PythonPackages } from '../../../support/python-packages.ts';
import { INDEX } from '../../sinks/sink.ts';
import type { Arm, Work } from '../arm.ts';
import { startPeer } from '../peer-process.ts';
import { jsonDocuments, rowsWithIsoTimes } from '../queries.ts';

const SCRIPT = fileURLToPath(new URL('main.py', import.meta.url));

export const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));

interface Way {
  readonly words: string;
  readonly query: (work: Work) => string;
  readonly settings: Readonly<Record<string, number>>;
}

const TUNED = { itersize: 2_000, chunk_size: 2_000, thread_count: 2 };
const TUNED_WORDS = `${TUNED.itersize} rows a fetch, ${TUNED.chunk_size} documents a bulk, ${TUNED.thread_count} threads, orjson`;
const WAYS: Readonly<Record<'usual' | 'tuned' | 'json', Way>> = {
  usual: { words: 'at the defaults of both', query: rowsWithIsoTimes, settings: {} },
  tuned: { words: TUNED_WORDS, query: rowsWithIsoTimes, settings: TUNED },
  json: { words: `JSON made by PostgreSQL, ${TUNED_WORDS}`, query: jsonDocuments, settings: TUNED },
};
export const PYTHON_NAMES = Object.keys(WAYS).map((way) => `python-${way}`);

/** Python's `parallel_bulk` over a server-side cursor of psycopg 3, as it is usually written, tuned, and with PostgreSQL's JSON. */
export function pythonArms(installed: PythonPackages): Arm[] {
  return [armOf('usual', installed), armOf('tuned', installed), armOf('json', installed)];
}

function armOf(way: keyof typeof WAYS, { python, packages }: PythonPackages): Arm {
  const { words, query, settings } = WAYS[way];
  return {
    name: `python-${way}`,
    family: 'Python',
    way: `parallel_bulk of opensearch-py over psycopg 3, ${words}`,
    refusal: () => null,
    start: async (work) => {
      const order = {
        database_url: work.databaseUrl,
        search_url: work.sinkUrl,
        index: INDEX,
        query: query(work),
        way,
        ...settings,
      };
      // -s and the path alone: what the user has installed besides is not seen.
      return await startPeer([python, '-s', SCRIPT], order, {
        PYTHONPATH: packages,
        PYTHONDONTWRITEBYTECODE: '1', // of the one file here; pip has compiled the packages
      });
    },
  };
}
