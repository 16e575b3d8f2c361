/** The rows of a table in Markdown, which can be written line by line while the cases are played. */
export function headOf(columns: readonly string[]): string[] {
  return [rowOf(columns), rowOf(columns.map(() => '---'))];
}

export function rowOf(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim()).join(' | ')} |`;
}
