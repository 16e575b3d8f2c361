import type { Case } from '../case.ts';

const BUSY = JSON.stringify({ error: { type: 'circuit_breaking_exception', reason: 'Data too large' } });
const BUSY_FOR_MS = 20_000;

export const theCase: Case = {
  title: 'the cluster answers 429 to every call for 20 s, after the alias has moved',
  right: 'exit 0 after a wait that is told',
  async play({ alias, command, definition, proxy, settings, sql }) {
    await sql(
      'CREATE TABLE things (id int PRIMARY KEY, name text); INSERT INTO things SELECT n, n::text FROM generate_series(1, 50) n',
    );
    await definition(
      `alias: ${alias}\nsource: { table: things, key: id }\nindex: { number_of_replicas: 0 }\ndocument: { name: things.name }\n`,
    );
    let busyUntilMs: number | null = null;
    let refused = 0;
    const url = await proxy(({ method, path }) => {
      const retains = method === 'GET' && path.startsWith(`/${alias}-*`);
      if (retains) busyUntilMs ??= Date.now() + BUSY_FOR_MS;
      if (busyUntilMs === null || Date.now() >= busyUntilMs) return null;
      refused += 1;
      return { status: 429, headers: { 'content-type': 'application/json' }, body: BUSY };
    });
    await settings({ target: { url } });
    const { code, result, stderr } = await command('run', '--run-key', '1');
    const isTold = /waiting for the search cluster.*circuit_breaking_exception/.test(stderr);
    return {
      got: `exit ${code}, ${refused} calls refused, the wait is ${isTold ? '' : 'not '}told; ${JSON.stringify(result['error'] ?? 'no error')}`,
      ok: code === 0 && refused > 0 && isTold,
    };
  },
};
