import type { Case, ProxyAnswer } from '../case.ts';

const REASON =
  'User: anonymous is not authorized to perform: es:ESHttpGet because no resource-based policy allows the es:ESHttpGet action';
const ANSWERS: readonly (readonly [name: string, answer: ProxyAnswer, words: RegExp])[] = [
  [
    'signed requests',
    { status: 403, body: JSON.stringify({ Message: REASON }) },
    /no resource-based policy.*SigV4/,
  ],
  [
    'a page',
    {
      status: 403,
      headers: { 'content-type': 'text/html' },
      body: '<html><head><title>Blocked by the firewall</title></head><body>no</body></html>',
    },
    /Blocked by the firewall/,
  ],
  ['a text', { status: 403, headers: { 'content-type': 'text/plain' }, body: 'RBAC: access denied' }, /RBAC/],
];

export const theCase: Case = {
  title: 'a gateway before the cluster (a proxy stands in) refuses in a form of its own',
  right: 'its words are shown whatever their form, and a domain that wants signed requests is named as such',
  async play(stage) {
    await stage.sql(`CREATE TABLE books AS SELECT n::int AS id, 'book ' || n AS title FROM generate_series(1, 100) n;
      ALTER TABLE books ADD PRIMARY KEY (id)`);
    await stage.definition(
      `alias: ${stage.alias}\nsource: { table: books, key: id }\ndocument: { title: books.title }\nindex: { number_of_replicas: 0 }\n`,
    );
    const got: string[] = [];
    let ok = true;
    for (const [name, answer, words] of ANSWERS) {
      const url = await stage.proxy(() => answer);
      await stage.settings({ target: { url } });
      const { code, stdout, stderr } = await stage.command('plan');
      const said = words.test(stdout + stderr);
      ok &&= code === 1 && said;
      got.push(`${name}: exit ${code}, ${said ? 'its words' : 'not its words'}`);
    }
    return { got: got.join('; '), ok };
  },
};
