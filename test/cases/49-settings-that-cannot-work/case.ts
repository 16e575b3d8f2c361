import type { Case } from '../case.ts';

const DOOMED = [
  'append_only.enabled: true',
  'derived_source: { enabled: true }',
  'mapping.source.mode: synthetic',
  'write.wait_for_active_shards: 2',
];

export const theCase: Case = {
  title: 'index settings with which no rebuild can succeed',
  right: 'each is refused when the definition is read: exit 2, and nothing is created',
  async play(stage) {
    await stage.sql(`CREATE TABLE books AS SELECT n::int AS id, date '2020-01-01' AS born FROM generate_series(1, 100) n;
      ALTER TABLE books ADD PRIMARY KEY (id)`);
    const settings = await stage.settings();
    const codes: (number | null)[] = [];
    for (const doomed of DOOMED) {
      await stage.definition(
        `alias: ${stage.alias}\nsource: { table: books, key: id }\ndocument: { born: books.born }\nindex: { number_of_replicas: 0, settings: { ${doomed} } }\n`,
      );
      codes.push((await stage.command('run', '--settings', settings)).code);
    }
    const left = await stage.search('GET', `/${stage.alias}-*`);
    const nothing =
      typeof left.body === 'object' && left.body !== null && Object.keys(left.body).length === 0;
    return {
      got: `exits ${codes.join(', ')}; ${nothing ? 'nothing created' : 'indexes created'}`,
      ok: codes.every((code) => code === 2) && nothing,
    };
  },
};
