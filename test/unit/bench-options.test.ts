import { expect, it } from 'vitest';
import { readOptions } from '../bench/options.ts';
import { chooseArms } from '../bench/peers/arms.ts';
import { JAVASCRIPT_ARMS } from '../bench/peers/javascript/arms.ts';

it('the bench measures on both sinks when it is told nothing', () => {
  expect(readOptions([])).toEqual({ sink: 'both', quick: false, markdown: false, copy: false });
});

it('the bench takes its options from the command line', () => {
  const args = ['--rounds', '3', '--documents', '500', '--arms', 'a,b', '--sink', 'null', '--quick'];
  expect(readOptions(args)).toMatchObject({
    rounds: 3,
    documents: 500,
    arms: ['a', 'b'],
    sink: 'null',
    quick: true,
  });
});

it.each([
  ['no number', ['--rounds', 'many'], /^--rounds: /],
  ['no document at all', ['--documents', '0'], /^--documents: /],
  ['half a round', ['--rounds', '1.5'], /^--rounds: /],
  ['a sink that there is not', ['--sink', 'kafka'], /^--sink: /],
  ['two comparisons at once', ['--copy', '--against', '/other'], '--copy: takes either --against or --copy'],
  ['an option that there is not', ['--fast'], "Unknown option '--fast'"],
])('the bench refuses %s', (_, args, words) => {
  expect(() => readOptions(args)).toThrow(words);
});

it('arms are chosen by name and keep their order', () => {
  const chosen = chooseArms(JAVASCRIPT_ARMS, ['opensearch-js-rows', 'elasticsearch-js-json']);
  expect(chosen.map(({ name }) => name)).toEqual(['elasticsearch-js-json', 'opensearch-js-rows']);
});

it('a name that no arm has is refused with the names that there are', () => {
  expect(() => chooseArms(JAVASCRIPT_ARMS, ['java'])).toThrow(
    '--arms: there is no java; there are elasticsearch-js-json, elasticsearch-js-rows, opensearch-js-json, opensearch-js-rows.',
  );
});
