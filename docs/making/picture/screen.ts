import xterm, { type IBufferCell, type IBufferLine, type Terminal } from '@xterm/headless';

/** Text of one style, from one column on. */
export interface Span {
  readonly column: number;
  readonly text: string;
  /** Names of styles, such as `cyan` or `dim`. Empty: the terminal's own colour. */
  readonly style: string;
}

export type Row = readonly Span[];

/** What a terminal shows at one moment. */
export interface Frame {
  readonly atMs: number;
  readonly rows: readonly Row[];
}

/** Columns of the recorded terminal. */
export const COLUMNS = 112;
/** Rows of the recorded terminal. They hold a whole run, so nothing scrolls. */
const ROWS = 48;
/** Colours of the ANSI palette that a run uses, by their numbers there. */
const COLOURS = new Map([
  [1, 'red'],
  [2, 'green'],
  [3, 'yellow'],
  [6, 'cyan'],
]);

/** A terminal without a window. It takes a program's output and knows what a person would see. */
export class Screen {
  readonly #terminal: Terminal;

  constructor() {
    this.#terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  }

  get size(): { readonly cols: number; readonly rows: number } {
    return { cols: this.#terminal.cols, rows: this.#terminal.rows };
  }

  /** Resolves when the screen shows it. */
  write(output: string): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(output, resolve));
  }

  /** The rows that are shown now, without the empty ones at the end. */
  rows(): Row[] {
    const { active } = this.#terminal.buffer;
    const rows = Array.from({ length: ROWS }, (_, index) => {
      const line = active.getLine(active.viewportY + index);
      return line === undefined ? [] : spansOf(line);
    });
    return rows.slice(0, rows.findLastIndex((row) => row.length > 0) + 1);
  }
}

function spansOf(line: IBufferLine): Span[] {
  const width = line.translateToString(true).length;
  const cells = Array.from({ length: width }, (_, column) => line.getCell(column));
  const spans: Span[] = [];
  for (const [column, cell] of cells.entries()) {
    const [text, style] = [cell?.getChars() || ' ', styleOf(cell)];
    const before = spans.at(-1);
    if (before?.style !== style) spans.push({ column, text, style });
    else spans[spans.length - 1] = { ...before, text: before.text + text };
  }
  return spans;
}

function styleOf(cell: IBufferCell | undefined): string {
  if (cell === undefined) return '';
  const colour = cell.isFgPalette() ? COLOURS.get(cell.getFgColor()) : undefined;
  return [colour ?? '', cell.isDim() ? 'dim' : ''].filter((name) => name !== '').join(' ');
}
