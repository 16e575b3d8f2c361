import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { DOMParser, onErrorStopParsing } from '@xmldom/xmldom';
import { describe, expect, it } from 'vitest';
import { pictureOf } from '../../docs/making/picture/picture-of.ts';
import { COLUMNS, type Frame } from '../../docs/making/picture/screen.ts';
import { NO_COUNTS } from '../../orchestrator/reconcile/counts.ts';
import { PHASE_NAMES } from '../../orchestrator/reconcile/phases.ts';
import { phaseLine, progressLines } from '../../orchestrator/report/render.ts';

const PICTURE = readFileSync(new URL('../../docs/run.svg', import.meta.url), 'utf8');
/** `claim` is part of `plan` on the terminal. `services` starts what the first command needs. */
const SHOWN_PHASES = ['services', ...PHASE_NAMES.filter((phase) => phase !== 'claim')];

describe('the picture of a run in README', () => {
  it('is well-formed SVG with a title and a description', () => {
    const picture = parsed(PICTURE);
    expect(picture.documentElement?.localName).toBe('svg');
    expect(textsOf(picture, 'title')).toHaveLength(1);
    expect(textsOf(picture, 'desc')).toHaveLength(1);
  });

  it('needs nothing from elsewhere, runs no script, and is smaller than 60 KB', () => {
    expect(PICTURE).not.toMatch(/<script|<image|<foreignObject|href=|url\(|@import|@font-face/);
    expect(Buffer.byteLength(PICTURE)).toBeLessThan(60_000);
  });

  it('ends with every phase as the terminal shows it today; if not, `npm run docs:picture` draws it anew', () => {
    const lines = textsOf(parsed(PICTURE), 'text', (classes) => !classes.includes('passing')).map(formOf);
    const isShown = (phase: string): boolean => {
      const form = formOf(phaseLine('✔', phase, 1, '')).trimEnd();
      return lines.some((line) => line.startsWith(`${form} `));
    };
    expect(SHOWN_PHASES.filter((phase) => !isShown(phase))).toEqual([]);
  });

  it('has the progress of a pass as the terminal shows it today; if not, `npm run docs:picture` draws it anew', () => {
    const forms = new Set(textsOf(parsed(PICTURE), 'text').map(formOf));
    const progress = {
      pass: 1,
      counts: NO_COUNTS,
      rowsExpected: 10,
      ranges: { done: 1, total: 2 },
      workers: { working: 4, idle: 0, starting: 0 },
      waitingFor: [],
      cost: null,
      estimate: { rowsPerSecond: 1, secondsLeft: 1 },
    };
    const lines = progressLines(progress, COLUMNS).map(formOf);
    expect(lines.filter((line) => !forms.has(line))).toEqual([]);
  });
});

describe('a drawn recording', () => {
  const frame = (atMs: number, ...texts: string[]): Frame => ({
    atMs,
    rows: texts.map((text) => [{ column: 0, text, style: 'dim' }]),
  });

  it('holds each text once for as long as it stands, and marks those that go', () => {
    const picture = parsed(pictureOf([frame(0, 'stays', 'goes'), frame(10, 'stays', 'comes')]));
    expect(textsOf(picture, 'text')).toEqual(['stays', 'goes', 'comes']);
    expect(textsOf(picture, 'text', (classes) => classes.includes('passing'))).toEqual(['goes']);
  });

  it('keeps the last frame of a long one', () => {
    const frames = Array.from({ length: 1000 }, (_, index) => frame(index, `frame ${index}`));
    const texts = textsOf(parsed(pictureOf(frames)), 'text');
    expect(texts.length).toBeLessThan(50);
    expect(texts.at(-1)).toBe('frame 999');
  });

  it('shows signs that have a meaning in XML', () => {
    expect(textsOf(parsed(pictureOf([frame(0, '<a> & "b"')])), 'text')).toEqual(['<a> & "b"']);
  });
});

function parsed(svg: string) {
  return new DOMParser({ onError: onErrorStopParsing }).parseFromString(svg, 'image/svg+xml');
}

function textsOf(
  picture: ReturnType<typeof parsed>,
  name: string,
  accept: (classes: string) => boolean = () => true,
): string[] {
  return [...picture.getElementsByTagName(name)]
    .filter((element) => accept(element.getAttribute('class') ?? ''))
    .map((element) => element.textContent ?? '');
}

/** A line without its figures: what is left are the reporter's own words. */
function formOf(line: string): string {
  return stripVTControlCharacters(line)
    .replaceAll(/[█░]+/g, '▒')
    .replaceAll(/\d[\d,.]*/g, '0')
    .replaceAll(/\d+ (min|h|s)\b/g, '0 s')
    .replaceAll(/ +/g, ' ');
}
