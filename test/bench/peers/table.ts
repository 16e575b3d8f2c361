/** A table as text for a terminal, or as Markdown; the first column stands left, the others right. */
export function tableOf(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  markdown: boolean,
): string {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const lineOf = (cells: readonly string[]): string => {
    const padded = cells.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return markdown ? `| ${padded.join(' | ')} |` : padded.join('  ').trimEnd();
  };
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [lineOf(heads), ...(markdown ? [`| ${rule.join(' | ')} |`] : []), ...rows.map(lineOf)].join('\n');
}
