import { setTimeout as sleep } from 'node:timers/promises';
import type { Case } from '../case.ts';

const ROWS = 60_000;
const GIVES_UP_AFTER_MS = 200;

export const theCase: Case = {
  title:
    'a load balancer answers 504 to long calls, which go on behind it; a range is emptied and read again',
  right: 'one clearing at a time, no failure, and the index holds every row at once',
  async play({ alias, command, definition, proxy, search, settings, sql }) {
    await sql(
      `CREATE TABLE things (id int PRIMARY KEY, name text); INSERT INTO things SELECT n, repeat('x', 50) || n FROM generate_series(1, ${ROWS}) n; ANALYZE things`,
    );
    await definition(
      `alias: ${alias}\nsource: { table: things, key: id }\nindex: { number_of_replicas: 0, forcemerge_segments: 1 }\ndocument: { name: things.name }\n`,
    );
    let most = 0;
    const open: Record<string, number> = {};
    const url = await proxy(async ({ method, path, body }) => {
      const kind = /_delete_by_query|_forcemerge/.exec(path)?.[0];
      if (kind === undefined) return null;
      open[kind] = (open[kind] ?? 0) + 1;
      most = Math.max(most, open[kind]);
      const done = search(method, path, body === '' ? undefined : JSON.parse(body)).finally(() => {
        open[kind] = (open[kind] ?? 1) - 1;
      });
      const answer = await Promise.race([done, sleep(GIVES_UP_AFTER_MS, null)]);
      const [status, said] = answer === null ? [504, { error: 'gave up' }] : [answer.status, answer.body];
      return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(said) };
    });
    await settings({ target: { url }, ranges: { count: 1 } });
    const phases: (number | null)[] = [];
    for (const phase of ['claim', 'create-index', 'reindex', 'finalize'])
      phases.push((await command(phase, '--run-key', '1')).code);
    const found = Object.keys((await search('GET', `/${alias}-*`)).body as object);
    const [index = ''] = found.filter((name) => !/-dead|-claims/.test(name));
    await search('POST', `/${index}/_delete_by_query?refresh=true`, { query: { term: { id: 77 } } });
    const validated = await command('validate', '--run-key', '1');
    const { body } = await search('GET', `/${index}/_count`);
    const { count } = body as { count: number };
    return {
      got: `exits ${[...phases, validated.code].join(', ')}, ${count} of ${ROWS} documents, at most ${most} such call at a time; ${JSON.stringify(validated.result['error'] ?? 'no error')}`,
      ok: phases.every((code) => code === 0) && validated.code === 0 && count === ROWS && most === 1,
    };
  },
};
