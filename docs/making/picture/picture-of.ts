import { COLUMNS, type Frame, type Row } from './screen.ts';

/** Lengths in the picture's own units; a character of a monospaced font is 0.6 of its size wide. */
const FONT_SIZE = 13;
const CHARACTER_WIDTH = 7.8;
const LINE_HEIGHT = 19;
const MARGIN = 18;
/** How long the picture plays a run, whatever the run took. */
const PLAY_MS = 14_000;
/** How long the last frame stands before the picture begins again. */
const HOLD_MS = 8000;
/** More frames make the file larger, and a reader sees no more. */
const FRAMES_AT_MOST = 42;

const STYLES = `
text { font: ${FONT_SIZE}px ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', 'Liberation Mono', 'Courier New', monospace; fill: #e6edf3; white-space: pre; }
.dim { fill: #9198a1; }
.green { fill: #3fb950; }
.cyan { fill: #39c5cf; }
.yellow { fill: #d29922; }
.red { fill: #ff7b72; }
.passing { visibility: hidden; }`;

/** Some text of one row, and the frames that show it: from one on, up to another. */
interface Appearance {
  readonly row: number;
  readonly spans: Row;
  readonly from: number;
  readonly to: number;
}

/**
 * Draws a recording of a terminal as SVG that plays by itself. Where nothing may move, the picture is the last frame.
 * Pure.
 *
 * @param recording at least one frame
 */
export function pictureOf(recording: readonly Frame[]): string {
  const frames = thinnedOut(recording);
  const height = Math.max(...frames.map(({ rows }) => rows.length));
  const [widthUnits, heightUnits] = [
    COLUMNS * CHARACTER_WIDTH + 2 * MARGIN,
    height * LINE_HEIGHT + 2 * MARGIN,
  ];
  const appearances = Array.from({ length: height }, (_, row) => appearancesIn(row, frames)).flat();
  const lines = appearances.map((appearance) => textOf(appearance, frames.length));
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- Made by \`npm run docs:picture\` from a real run. -->
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${units(widthUnits)} ${units(heightUnits)}" width="${units(widthUnits)}" height="${units(heightUnits)}" role="img" aria-labelledby="title description">
<title id="title">A run of reindex-fleet in a terminal</title>
<desc id="description">npm run reindex starts PostgreSQL and a search node. It plans the run, creates the index, reads the table with four workers, validates the index, and moves the alias. Each phase stands with its time.</desc>
<style>${STYLES}
@media (prefers-reduced-motion: no-preference) {
${keyframesOf(appearances, frames)}
}
</style>
<rect x="0.5" y="0.5" width="${units(widthUnits - 1)}" height="${units(heightUnits - 1)}" rx="8" fill="#0d1117" stroke="#59636e"/>
${lines.join('\n')}
</svg>
`;
}

/** Frames at even distances, the last one among them. */
function thinnedOut(frames: readonly Frame[]): Frame[] {
  const step = Math.ceil(frames.length / FRAMES_AT_MOST);
  return frames.filter((_, index) => (frames.length - 1 - index) % step === 0);
}

function appearancesIn(row: number, frames: readonly Frame[]): Appearance[] {
  const found: Appearance[] = [];
  for (const [index, { rows }] of frames.entries()) {
    const spans = rows[row] ?? [];
    const before = found.at(-1);
    if (before !== undefined && JSON.stringify(before.spans) === JSON.stringify(spans))
      found[found.length - 1] = { ...before, to: index + 1 };
    else found.push({ row, spans, from: index, to: index + 1 });
  }
  return found.filter(({ spans }) => spans.length > 0);
}

function textOf({ row, spans, from, to }: Appearance, frameCount: number): string {
  const y = MARGIN + row * LINE_HEIGHT + FONT_SIZE;
  const classes = [to < frameCount ? 'passing' : '', classOf(from, to)].filter((name) => name !== '');
  const texts = spans.map(({ column, text, style }) => {
    const [x, length] = [MARGIN + column * CHARACTER_WIDTH, text.length * CHARACTER_WIDTH];
    const styled = style === '' ? '' : ` class="${style}"`;
    return `<tspan x="${units(x)}" textLength="${units(length)}"${styled}>${escaped(text)}</tspan>`;
  });
  return `<text y="${y}" class="${classes.join(' ')}">${texts.join('')}</text>`;
}

function classOf(from: number, to: number): string {
  return `f${from}-${to}`;
}

/** A rule for each span of frames: what has its class is seen in these frames and in no others. */
function keyframesOf(appearances: readonly Appearance[], frames: readonly Frame[]): string {
  const lastMs = Math.max(1, frames.at(-1)?.atMs ?? 0);
  const totalMs = PLAY_MS + HOLD_MS;
  const percentAt = (index: number): string =>
    units(((frames[index]?.atMs ?? 0) / lastMs) * (PLAY_MS / totalMs) * 100);
  const spans = new Map(appearances.map(({ from, to }) => [classOf(from, to), { from, to }]));
  return [...spans]
    .map(([name, { from, to }]) => {
      const hidden = to < frames.length ? `${percentAt(to)}%,to{visibility:hidden}` : '';
      const begin = from === 0 ? '' : '0%{visibility:hidden}';
      const shown = `${from === 0 ? '0' : percentAt(from)}%{visibility:visible}`;
      return `.${name}{animation:${name} ${totalMs}ms step-end infinite}@keyframes ${name}{${begin}${shown}${hidden}}`;
    })
    .join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function units(value: number): string {
  return String(Math.round(value * 100) / 100);
}
