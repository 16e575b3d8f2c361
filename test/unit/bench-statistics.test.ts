import { expect, it } from 'vitest';
import { medianOf, orderOf, spreadOf, spreadWords } from '../bench/statistics.ts';

it.each([
  ['an odd number of figures', [3, 1, 2], 2],
  ['an even number of figures', [4, 1, 3, 2], 2.5],
  ['a single figure', [7], 7],
  ['no figure', [], Number.NaN],
])('the median of %s', (_, figures, median) => {
  expect(medianOf(figures)).toBe(median);
});

it('a spread names the middle, the middle half and the ends of unsorted figures', () => {
  const spread = spreadOf([5, 1, 4, 2, 3]);
  expect(spread).toEqual({ median: 3, quartiles: [2, 4], ends: [1, 5] });
  expect(spreadWords(spread, 1)).toBe('3.0 (quartiles 2.0 to 4.0, all 1.0 to 5.0)');
});

it('the order of arms changes from round to round, and every arm comes once a round', () => {
  const rounds = [0, 1, 2, 3].map((round) => orderOf(['a', 'b', 'c'], round).join(''));
  expect(rounds).toEqual(['abc', 'cba', 'bca', 'acb']);
});

it('over enough rounds each arm comes equally often first', () => {
  const firsts = Array.from({ length: 6 }, (_, round) => orderOf(['a', 'b', 'c'], round)[0]);
  for (const arm of ['a', 'b', 'c']) expect(firsts.filter((first) => first === arm)).toHaveLength(2);
});
