import type { Case, ProxyAnswer } from '../case.ts';

/** The calls that only inform. */
const INFORMS = /^\/(\?|$|_cluster\/|_cat\/|_nodes|_template|_index_template|_plugins)/;

const FORBIDDEN: ProxyAnswer = {
  status: 403,
  body: '{"error":{"root_cause":[{"type":"security_exception","reason":"no permissions for this action"}],"type":"security_exception","reason":"no permissions for this action"},"status":403}',
};
const ABSENT: ProxyAnswer = {
  status: 410,
  body: '{"error":{"type":"api_not_available_exception","reason":"Request exists but is not available when running in serverless mode"},"status":410}',
};

export const theCase: Case = {
  title: 'a cluster (a proxy stands in for its rights) that forbids or lacks the calls that only inform',
  right: 'the run warns with the missing privilege, or says that the cluster is serverless, and ends well',
  async play(stage) {
    await stage.sql(`CREATE TABLE books AS SELECT n::int AS id, 'book ' || n AS title FROM generate_series(1, 100) n;
      ALTER TABLE books ADD PRIMARY KEY (id)`);
    await stage.definition(
      `alias: ${stage.alias}\nsource: { table: books, key: id }\ndocument: { title: books.title }\nindex: { number_of_replicas: 0 }\n`,
    );
    const got: string[] = [];
    let ok = true;
    for (const { name, answer, words } of [
      { name: 'forbidden', answer: FORBIDDEN, words: 'cluster:monitor/main' },
      { name: 'absent', answer: ABSENT, words: 'serverless cluster' },
    ]) {
      const url = await stage.proxy(({ path }) => (INFORMS.test(path) ? answer : null));
      await stage.settings({ target: { url } });
      const { code, stdout, stderr } = await stage.command('run', '--run-key', name);
      const named = (stdout + stderr).includes(words);
      ok &&= code === 0 && named;
      got.push(`${name}: exit ${code}, ${named ? 'named' : 'not named'}`);
    }
    return { got: got.join('; '), ok };
  },
};
