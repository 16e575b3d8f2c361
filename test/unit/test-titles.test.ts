import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEFINERS = new Set(['describe', 'it', 'test']);
const LEAST_WORDS = 4;

/** Words that lean on the title before, which a reader of one failure does not see. */
const LEANS = /^(and|but|so|also|too|then|nor|the same|another one|it) /i;

describe('the titles of all tests', () => {
  const titles = globSync('test/**/*.test.ts', { cwd: ROOT }).flatMap((file) =>
    titlesIn(readFileSync(join(ROOT, file), 'utf8')).map((parts) => ({ file, parts })),
  );

  it('are found in every project', () => {
    const folders = new Set(titles.map(({ file }) => file.split('/')[1]));
    expect(folders).toEqual(new Set(['contract', 'integration', 'simulation', 'unit']));
  });

  it('name their subject and what it does, so that one title makes sense alone', () => {
    expect(titles.flatMap(({ file, parts }) => faultsOf(parts).map((fault) => `${file}: ${fault}`))).toEqual(
      [],
    );
  });

  it('differ from each other in the whole suite', () => {
    const places = Map.groupBy(titles, ({ parts }) => parts.join(' '));
    const shared = [...places].filter(([, here]) => here.length > 1);
    expect(shared.map(([title, here]) => [title, ...here.map(({ file }) => file)])).toEqual([]);
  });
});

it('the check of test titles finds a title that is too short and one that leans on another', () => {
  const text = `
    describe.each([1, 2])('a run of %s workers', { timeout: 1 }, () => {
      it('and with two', () => {});
      it.skipIf(LACKING)(\`ends at \${ZERO}\`, () => {});
    });
    test('an answer', () => {});`;
  expect(titlesIn(text)).toEqual([
    ['a run of %s workers', 'and with two'],
    ['a run of %s workers', 'ends at ${ZERO}'],
    ['an answer'],
  ]);
  expect(titlesIn(text).flatMap(faultsOf)).toEqual([
    '"and with two" leans on the title before it: name the subject',
    '"an answer" has fewer than 4 words: say who does what, and when',
  ]);
});

function faultsOf(parts: readonly string[]): string[] {
  const whole = parts.join(' ');
  return [
    ...parts
      .filter((part) => LEANS.test(part))
      .map((part) => `"${part}" leans on the title before it: name the subject`),
    ...(whole.split(/\s+/).length < LEAST_WORDS
      ? [`"${whole}" has fewer than ${LEAST_WORDS} words: say who does what, and when`]
      : []),
  ];
}

/** Each test's title with those of the groups around it, outermost first. Placeholders stay as they are written. */
function titlesIn(text: string): string[][] {
  const source = ts.createSourceFile('test.ts', text, ts.ScriptTarget.Latest);
  const found: string[][] = [];
  const visit = (node: ts.Node, above: readonly string[]): void => {
    const title = ts.isCallExpression(node) ? titleOf(node, source) : null;
    if (title === null) ts.forEachChild(node, (child) => visit(child, above));
    else if (title.isGroup) ts.forEachChild(node, (child) => visit(child, [...above, title.text]));
    else found.push([...above, title.text]);
  };
  visit(source, []);
  return found;
}

/** Of `it('…', …)`, `describe.skipIf(…)('…', …)` and the like; null for every other call. */
function titleOf(call: ts.CallExpression, source: ts.SourceFile): { text: string; isGroup: boolean } | null {
  const definer = definerOf(call.expression);
  const [title, body] = call.arguments;
  if (definer === null || title === undefined || body === undefined || !isText(title)) return null;
  return { text: title.getText(source).slice(1, -1), isGroup: definer === 'describe' };
}

function isText(node: ts.Node): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}

/** `it` of `it`, `it.only`, `it.each(…)` and `it.skipIf(…)`; null where it is none of Vitest's. */
function definerOf(callee: ts.Expression): string | null {
  if (ts.isPropertyAccessExpression(callee) || ts.isCallExpression(callee))
    return definerOf(callee.expression);
  return ts.isIdentifier(callee) && DEFINERS.has(callee.text) ? callee.text : null;
}
