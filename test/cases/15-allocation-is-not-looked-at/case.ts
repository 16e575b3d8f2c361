import type { Case, Stage } from '../case.ts';

export const theCase: Case = {
  title: 'shards of the new index find no place',
  right: "the run fails before the first launch with the cluster's own explanation, and nothing is left",
  async play(stage) {
    await stage.sql(`CREATE TABLE books AS SELECT n::int AS id, 'book ' || n AS title FROM generate_series(1, 100) n;
      ALTER TABLE books ADD PRIMARY KEY (id)`);
    await define(
      stage,
      'index: { number_of_replicas: 0, settings: { routing.allocation.require.box: nowhere } }',
    );
    const { code, stdout, stderr } = await stage.command('run');
    const explained = /does not match index setting .*nowhere/.test(stdout + stderr);
    const left = await stage.search('GET', `/${stage.alias}-2*?expand_wildcards=all`);
    const nothing = JSON.stringify(left.body) === '{}';
    return {
      got: `exit ${code}, ${explained ? 'explained' : 'not explained'}, ${nothing ? 'nothing left' : 'indexes left'}`,
      ok: code === 1 && explained && nothing,
    };
  },
};

function define({ definition, alias }: Stage, index: string): Promise<string> {
  return definition(
    `alias: ${alias}\nsource: { table: books, key: id }\ndocument: { title: books.title }\n${index}\n`,
  );
}
