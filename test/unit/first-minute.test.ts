import { expect, test } from 'vitest';
import { medianMinute, minuteLine, ratioLine } from '../bench/first-minute/table.ts';
import { readMinute } from '../bench/first-minute/told.ts';

const told = (texts: string[]) => texts.map((text, index) => ({ text, at: index * 10 }));
const RESULT = '{"status":"done","phase_seconds":{"plan":1.5,"reindex":12.5}}';
const LINES = [
  '> reindex-fleet@0.1.0 prereindex',
  'reindex-fleet: packages installed in 12.3 s; Node v24.1.0 runs from here on.',
  '{"phase":"services","seconds":9.1,"note":"started","msg":"phase finished"}',
  '{"phase":"promote","msg":"phase started"}',
  '{"phase":"promote","seconds":0.2,"note":"cities now serves it","msg":"phase finished"}',
  RESULT,
];

test('the parts of a first minute are those that the command tells', () => {
  const minute = { install: 12.3, services: 9.1, run: 14, promoted: 40, ended: 51 };
  expect(readMinute(told(LINES), 51)).toEqual(minute);
  expect(minuteLine('abc', minute)).toMatch(/^abc +12\.3 +9\.1 +14\.0 +40\.0 +51\.0$/);
});

test.each([1, 2, 4, 5])('a first minute lacks a part that the command does not tell (line %i)', (left) => {
  expect(readMinute(told(LINES.filter((_, index) => index !== left)), 51)).toBeNull();
});

test('the median of first minutes is that of each part', () => {
  const minute = (install: number, ended: number) => ({ install, services: 1, run: 1, promoted: 1, ended });
  expect(medianMinute([minute(3, 10), minute(1, 30), minute(2, 20)])).toMatchObject({
    install: 2,
    ended: 20,
  });
  expect(medianMinute([minute(3, 10), minute(1, 30)])).toMatchObject({ install: 2, ended: 20 });
  expect(ratioLine(minute(1, 10), minute(2, 40))).toMatch(/^ratio +0\.50 +1\.00 +1\.00 +1\.00 +0\.25$/);
});
