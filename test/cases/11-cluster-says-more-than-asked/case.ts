import type { Case } from '../case.ts';

export const theCase: Case = {
  title: 'the cluster writes parameters back that nobody asked for',
  right: 'a completion field and others of their kind are created and promoted without a template',
  async play(stage) {
    await stage.sql(`CREATE TABLE books AS SELECT n::int AS id, 'book ' || n AS title FROM generate_series(1, 100) n;
      ALTER TABLE books ADD PRIMARY KEY (id)`);
    await stage.definition(
      [
        `alias: ${stage.alias}`,
        'source: { table: books, key: id }',
        'document:',
        `  suggested: { sql: "'abc'::text", mapping: { type: completion } }`,
        '  typed: { sql: books.title, mapping: { type: search_as_you_type } }',
        '  both: { sql: books.title, mapping: { type: text, fields: { s: { type: completion } } } }',
        '  scaled: { sql: books.id, mapping: { type: scaled_float, scaling_factor: 10 } }',
        'index: { number_of_replicas: 0 }',
        '',
      ].join('\n'),
    );
    const { code, stderr } = await stage.command('run', '--settings', await stage.settings());
    return { got: code === 0 ? 'exit 0' : `exit ${code}: ${stderr.slice(-300)}`, ok: code === 0 };
  },
};
