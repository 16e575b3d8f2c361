import type { Case } from '../case.ts';

const TEMPLATES: readonly [name: string, value: unknown][] = [
  ['index.hidden', true],
  ['index.max_result_window', 5],
];

export const theCase: Case = {
  title: 'an index template hides or limits the new index',
  right: 'each is refused, and setting and template are named with the pattern',
  async play(stage) {
    await stage.sql(`CREATE TABLE books AS SELECT n::int AS id, 'book ' || n AS title FROM generate_series(1, 100) n;
      ALTER TABLE books ADD PRIMARY KEY (id)`);
    await stage.definition(
      `alias: ${stage.alias}\nsource: { table: books, key: id }\ndocument: { title: books.title }\nindex: { number_of_replicas: 0 }\n`,
    );
    const settings = await stage.settings();
    const got: string[] = [];
    let ok = true;
    for (const [name, value] of TEMPLATES) {
      const path = `/_index_template/${stage.alias}-template`;
      await stage.search('PUT', path, {
        index_patterns: [`${stage.alias}-2*`],
        priority: 500,
        template: { settings: { [name]: value } },
      });
      const { code, stderr, stdout } = await stage.command('run', '--settings', settings);
      await stage.search('DELETE', path);
      const said = stderr + stdout;
      const named = said.includes(name) && said.includes(`${stage.alias}-2*`);
      ok &&= code === 1 && named;
      got.push(`${name}: exit ${code}, ${named ? 'named' : 'not named'}`);
    }
    return { got: got.join('; '), ok };
  },
};
