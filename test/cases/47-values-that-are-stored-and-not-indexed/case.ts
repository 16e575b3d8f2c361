import type { Case } from '../case.ts';

export const theCase: Case = {
  title: 'the index drops or cuts what _source shows, by a template or by a mapping that does not fit',
  right: 'both are refused, and the setting or the value is named; nothing is promoted',
  async play(stage) {
    await stage.sql(`CREATE TABLE books AS SELECT n::int AS id, n + 0.5 AS price,
        CASE WHEN n % 100 = 0 THEN 'n/a' ELSE '2024-01-01' END AS born FROM generate_series(1, 3000) n;
      ALTER TABLE books ADD PRIMARY KEY (id)`);
    const definition = (field: string): Promise<string> =>
      stage.definition(
        `alias: ${stage.alias}\nsource: { table: books, key: id }\ndocument: { ${field} }\nindex: { number_of_replicas: 0 }\n`,
      );
    const settings = await stage.settings();
    await definition('born: { sql: books.born, mapping: { type: date } }');
    const path = `/_index_template/${stage.alias}-template`;
    await stage.search('PUT', path, {
      index_patterns: [`${stage.alias}-2*`],
      priority: 500,
      template: { settings: { 'index.mapping.ignore_malformed': true } },
    });
    const dropped = await stage.command('run', '--settings', settings, '--run-key', 'dropped');
    await stage.search('DELETE', path);
    await definition('price: { sql: books.price, mapping: { type: integer } }');
    const cut = await stage.command('run', '--settings', settings, '--run-key', 'cut');
    await definition(
      `price: { sql: "(books.id + CASE WHEN books.id % 100 = 0 THEN 0.5 ELSE 0 END)::text", mapping: { type: integer } }`,
    );
    await stage.command('abandon', '--settings', settings);
    const seldom = await stage.command('run', '--settings', settings, '--run-key', 'seldom');
    const served = await stage.search('GET', `/_alias/${stage.alias}`);
    const named = [
      (dropped.stderr + dropped.stdout).includes('index.mapping.ignore_malformed'),
      /document\.price \(3,000 rows\)/.test(cut.stderr + cut.stdout),
      /document\.price \(30 rows\)/.test(seldom.stderr + seldom.stdout),
    ];
    return {
      got: `dropped: exit ${dropped.code}; cut: exit ${cut.code}; cut in 30 texts: exit ${seldom.code}; named: ${named.join(', ')}; the alias ${served.status === 404 ? 'is not there' : 'moved'}`,
      ok:
        dropped.code === 1 &&
        cut.code === 1 &&
        seldom.code === 1 &&
        !named.includes(false) &&
        served.status === 404,
    };
  },
};
