import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md'], { cwd: ROOT }).filter(
  (page) => page !== 'CHANGELOG.md',
);
const ROOMS = 'definition|worker|orchestrator|infra|embedded|examples|test|docs';

describe.each(PAGES)('the page %s', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');

  it('links only to files and headings that exist', () => {
    expect(linksOf(text).filter((link) => !leadsSomewhere(page, link))).toEqual([]);
  });

  it('names only files and folders that exist', () => {
    expect(namedIn(text).filter((path) => !isThere(path))).toEqual([]);
  });
});

it('the map of rooms in CONTRIBUTING lists every folder, and the folders inside each room of code', () => {
  const listed = new Set(roomsListed(readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8')));
  const inside = ['definition', 'worker', 'orchestrator', 'infra', 'embedded'].flatMap(foldersIn);
  expect([...foldersIn('.'), ...inside].filter((folder) => !listed.has(folder))).toEqual([]);
});

it('README has at most 150 lines, and links to every page of docs', () => {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  const pages = PAGES.filter((page) => dirname(page) === 'docs');
  expect(pages).toHaveLength(10);
  expect(linksOf(text)).toEqual(expect.arrayContaining(pages));
});

it('the check of pages finds a link that leads nowhere', () => {
  const text =
    '[a](docs/none.md) [b](CONTRIBUTING.md#no-such-heading) [c](CONTRIBUTING.md#the-rooms) `worker/none.ts`';
  expect(linksOf(text).map((link) => leadsSomewhere('README.md', link))).toEqual([false, false, true]);
  expect(namedIn(text)).toEqual(['worker/none.ts']);
});

/** Folders of the first column of the map. One without a slash inside stands beside the one before it. */
function roomsListed(text: string): string[] {
  const cells = [...text.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => {
    const [first = '', ...others] = [...cell.matchAll(/`([^`]+)\/`/g)].map(([, name = '']) => name);
    return [first, ...others.map((name) => join(dirname(first), name))];
  });
}

function foldersIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name))
    .map(({ name }) => join(folder, name));
}

/** What `[words](target)` leads to within the repository. */
function linksOf(text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || anchorsOf(readFileSync(join(ROOT, target), 'utf8')).includes(anchor);
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  const outsideCode = text.replaceAll(/^```[\s\S]*?^```/gm, '');
  return [...outsideCode.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Paths in backticks that begin with a room of the repository. What stands for a name, as in `<kind>`, is none. */
function namedIn(text: string): string[] {
  const path = new RegExp(`\`((?:${ROOMS})/[\\w./-]*)\``, 'g');
  return [...text.matchAll(path)].map(([, named = '']) => named);
}

function isThere(path: string): boolean {
  return existsSync(join(ROOT, path));
}
