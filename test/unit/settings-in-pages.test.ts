import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { messageOf } from '../../orchestrator/errors.ts';
import { parseSettings } from '../../orchestrator/settings.ts';
import { tryProgram } from '../infra/program-run.ts';

const read = (page: string) => readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');

/** The least that the orchestrator has to be told, for pages that show some sections alone. */
const NEEDED = {
  fleet: 'books',
  definitions: 'books.yaml',
  source: { url: 'postgres://reader@db.internal/shop' },
  target: { url: 'https://search.internal:9200' },
};

/** Those blocks that are settings, by a section that only settings have. */
function settingsIn(page: string): object[] {
  return [...read(page).matchAll(/^```yaml\n(.*?)^```/gms)]
    .map(([, text = '']) => parse(text) as object)
    .filter((block) => 'workers' in block);
}

describe('the settings that a page shows', () => {
  it.each(['README.md', 'examples/aws/README.md'])('in %s are what the orchestrator takes', (page) => {
    const [shown, ...others] = settingsIn(page);
    expect(others).toEqual([]);
    const written = { ...NEEDED, ...shown };
    expect(parseSettings(JSON.stringify(written), page)).toMatchObject({ fleet: 'books' });
  });

  it('for a first stack are settings of a stack, but for ids that a reader fills in', async () => {
    const [, command = ''] = /config set-all (.*?)\nnpm/s.exec(read('README.md')) ?? [];
    const paths = [...command.matchAll(/--plaintext '?([a-z_.]+)(?:\[\d\])?=/g)].map(([, path = '']) => path);
    expect(paths).toContain('network.cluster.let_workers_in');
    const given = paths.reduce<object>((above, path) => withSetting(above, path.split('.')), {});
    const { error } = await tryProgram({ ...given });
    const faults = messageOf(error?.reason).split('\n');
    expect(faults[0]).toContain('is not right');
    expect(faults.filter((fault) => fault.includes('This is not a setting.'))).toEqual([]);
  });
});

/** With something at its place, which no setting may be. */
function withSetting(above: object, [name = '', ...rest]: readonly string[]): object {
  const below: unknown = Reflect.get(above, name);
  return { ...above, [name]: rest.length === 0 ? [] : withSetting(Object(below), rest) };
}
