import type { Case } from '../case.ts';

const REASON = 'Cannot delete indices that are being snapshotted';
const SNAPSHOT = JSON.stringify({ error: { type: 'snapshot_in_progress_exception', reason: REASON } });

export const theCase: Case = {
  title: 'the deletion of the earlier index is refused for a while, then for longer than a run waits',
  right:
    'for a while: repeated until it is done; for longer: exit 0 with the index’s name, the fleet is free, and the next run deletes it',
  async play({ alias, command, definition, proxy, search, settings, sql }) {
    await sql(
      'CREATE TABLE things (id int PRIMARY KEY, name text); INSERT INTO things SELECT n, n::text FROM generate_series(1, 50) n',
    );
    await definition(
      `alias: ${alias}\nretain: 0\nsource: { table: things, key: id }\nindex: { number_of_replicas: 0 }\ndocument: { name: things.name }\n`,
    );
    let refusals = 0;
    const url = await proxy(({ method, path }) => {
      if (method !== 'DELETE' || path.includes('/_') || refusals <= 0) return null;
      refusals -= 1;
      return { status: 400, headers: { 'content-type': 'application/json' }, body: SNAPSHOT };
    });
    const indexes = async (): Promise<string[]> =>
      Object.keys((await search('GET', `/${alias}-*`)).body as object).filter(
        (name) => !/-dead|-claims/.test(name),
      );
    await settings({ target: { url } });
    const first = await command('run', '--run-key', '1');
    const [old = ''] = await indexes();
    refusals = 3;
    const shorter = await command('run', '--run-key', '2');
    const after = await indexes();
    await settings({ target: { url, waiting_timeout_ms: 3_000 } });
    refusals = 1_000;
    const longer = await command('run', '--run-key', '3');
    const left = await indexes();
    refusals = 0;
    const next = await command('run', '--run-key', '4');
    const end = await indexes();
    const codes = [first, shorter, longer, next].map(({ code }) => code).join(', ');
    const [named = ''] = after;
    const isNamed = longer.stderr.includes(`the earlier index ${named} could not be deleted`);
    return {
      got: `exits ${codes}; ${after.length}, ${left.length} and ${end.length} indexes (right: 1, 2, 1); ${isNamed ? 'the index is named' : `the index is not named: ${JSON.stringify(longer.result['error'] ?? 'no error')}`}`,
      ok:
        codes === '0, 0, 0, 0' &&
        !after.includes(old) &&
        [after, left, end].map(({ length }) => length).join() === '1,2,1' &&
        isNamed,
    };
  },
};
