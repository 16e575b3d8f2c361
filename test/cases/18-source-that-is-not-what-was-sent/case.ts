import type { Case } from '../case.ts';

export const theCase: Case = {
  title: 'index settings make _source other than what was sent, by the definition or by a template',
  right:
    'refused when the definition is read (exit 2), and at the creation of the index if a template brings it',
  async play(stage) {
    await stage.sql(`CREATE TABLE books AS SELECT n::int AS id, ARRAY['b', 'a', 'a'] AS tags FROM generate_series(1, 100) n;
      ALTER TABLE books ADD PRIMARY KEY (id)`);
    const definition = (settings: string): Promise<string> =>
      stage.definition(
        `alias: ${stage.alias}\nsource: { table: books, key: id }\ndocument: { tags: { sql: books.tags, mapping: { type: keyword } } }\nindex: { number_of_replicas: 0, settings: { ${settings} } }\n`,
      );
    const settings = await stage.settings();
    await definition('derived_source: { enabled: true }');
    const plan = await stage.command('plan', '--settings', settings);
    await definition('');
    const path = `/_index_template/${stage.alias}-template`;
    await stage.search('PUT', path, {
      index_patterns: [`${stage.alias}-2*`],
      priority: 500,
      template: { settings: { 'index.derived_source.enabled': true } },
    });
    const run = await stage.command('run', '--settings', settings);
    await stage.search('DELETE', path);
    const early = (run.stderr + run.stdout).includes('index.derived_source.enabled');
    return {
      got: `definition: exit ${plan.code}; template: exit ${run.code}, ${early ? 'named' : 'not named'}`,
      ok: plan.code === 2 && run.code === 1 && early,
    };
  },
};
