import type { Case } from '../case.ts';

const BAD = 1_234;

export const theCase: Case = {
  title: 'an ingest pipeline fails one document of 3,000 with 500',
  right: 'its own dead letter after some tries alone, with its type, and the run ends with 0 within seconds',
  async play({ alias, command, definition, search, sql }) {
    await sql(
      `CREATE TABLE things (id int PRIMARY KEY, a text);
       INSERT INTO things SELECT n, CASE n WHEN ${BAD} THEN 'bad' ELSE 'good' END FROM generate_series(1, 3000) n; ANALYZE things`,
    );
    const pipeline = `${alias}-pipeline`;
    await search('PUT', `/_ingest/pipeline/${pipeline}`, {
      processors: [{ fail: { if: "ctx.a == 'bad'", message: 'no' } }],
    });
    await definition(
      `alias: ${alias}\npipeline: ${pipeline}\nsource: { table: things, key: id }\nindex: { number_of_replicas: 0 }\ndead_letters: { promote_limit: 5 }\ndocument: { a: things.a }\n`,
    );
    const began = performance.now();
    const { code, result } = await command('run');
    const seconds = Math.round((performance.now() - began) / 1_000);
    const { body } = await search('GET', `/${alias}-*-dead-letters/_search?size=10`);
    const letters = JSON.stringify(body);
    const named = letters.includes(`"_id":"${BAD}"`) && letters.includes('fail_processor_exception');
    return {
      got: `exit ${code} after ${seconds} s; ${named ? 'the document is a dead letter' : String(result['error'])}`,
      ok: code === 0 && named,
    };
  },
};
