import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Case } from '../case.ts';

const PAGE = '<html><head><title>Sign in</title></head><body>Please sign in.</body></html>';

export const theCase: Case = {
  title: 'a gateway answers each call to S3 with a page and status 200',
  right: 'status and run end with exit 1 and name the endpoint; nobody takes the page for an empty journal',
  async play({ alias, command, definition, folder, proxy, search, settings, sql }) {
    await sql('CREATE TABLE things (id int PRIMARY KEY, name text); INSERT INTO things VALUES (1, $$a$$)');
    await definition(
      `alias: ${alias}\nsource: { table: things, key: id }\nindex: { number_of_replicas: 0 }\ndocument: { name: things.name }\n`,
    );
    const url = await proxy(() => ({ status: 200, headers: { 'content-type': 'text/html' }, body: PAGE }));
    await mkdir(join(folder, '.aws'));
    const profile = ['[default]', 'region = eu-central-1', `endpoint_url = ${url}`];
    await writeFile(join(folder, '.aws', 'config'), `${profile.join('\n')}\n`);
    const keys = ['[default]', 'aws_access_key_id = test', 'aws_secret_access_key = test'];
    await writeFile(join(folder, '.aws', 'credentials'), `${keys.join('\n')}\n`);
    await settings({ journal: { url: 's3://journals/of-cases' }, aws: { region: 'eu-central-1' } });

    const status = await command('status');
    const run = await command('run', '--run-key', '1');
    const ends = [status, run];
    const named = ends.filter(({ result }) => String(result['error']).includes(url)).length;
    const indexes = Object.keys((await search('GET', `/${alias}*?expand_wildcards=all`)).body as object);
    return {
      got: `exits ${status.code} and ${run.code}, ${named} of 2 name the endpoint, ${indexes.length} indexes; ${JSON.stringify(run.result['error'] ?? run.result)}`,
      ok: ends.every(({ code }) => code === 1) && named === 2 && indexes.length === 0,
    };
  },
};
