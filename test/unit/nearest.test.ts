import { expect, it } from 'vitest';
import { didYouMean } from '../../definition/nearest.ts';

it.each([
  ['a letter that is missing', 'concurency', ['concurrency', 'count'], 'concurrency'],
  ['other capitals', 'Batch_Bytes', ['batch_bytes'], 'batch_bytes'],
  ['the nearest of several', 'counts', ['mounts_x', 'count', 'amount'], 'count'],
  ['the first of two that are equally near', 'bat', ['cat', 'hat'], 'cat'],
])('the correction of a name guesses the meant word with %s', (_, word, names, meant) => {
  expect(didYouMean(word, names)).toBe(` Did you mean "${meant}"?`);
});

it.each([
  ['another word', 'retries', ['concurrency', 'count']],
  ['a third of its letters and more', 'abcdefghi', ['abcdeXXXX']],
  ['nothing to choose from', 'count', []],
])('the correction of a name makes no guess with %s', (_, word, names) => {
  expect(didYouMean(word, names)).toBe('');
});
