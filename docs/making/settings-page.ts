import { stackShape } from '../../infra/settings/schema.ts';
import { commonShape } from '../../orchestrator/common-settings.ts';
import { FLEET_KINDS } from '../../orchestrator/fleet/kinds.ts';
import { below, docstringsOf } from './docstrings.ts';
import { rowsOf, type SettingRow } from './settings-rows.ts';

/**
 * The tables of `docs/settings.md`, by their names there. Keys, defaults and bounds come from the schemas, descriptions
 * from the docstrings in the schemas' sources. So the page says what the code says.
 */
export function settingsTables(): Readonly<Record<string, readonly SettingRow[]>> {
  const run = new Map([
    ...docstringsOf('orchestrator/common-settings.ts', 'commonShape'),
    ...below('aws', docstringsOf('orchestrator/aws/aws-settings.ts', 'awsSection')),
  ]);
  const fleets = new Map(
    FLEET_KINDS.flatMap(({ section }) => [...below(section, docstringsOfFleet(section))]),
  );
  const stack = docstringsOf('infra/settings/schema.ts', 'stackShape');
  const sections = Object.fromEntries(FLEET_KINDS.map(({ section, schema }) => [section, schema]));
  return {
    run: rowsOf(commonShape, run),
    fleets: rowsOf(sections, fleets),
    stack: rowsOf(stackShape.shape, new Map([...run, ...fleets, ...stack])),
  };
}

/** The page with its tables made anew. All else stays as it is. */
export function withTables(page: string): string {
  return Object.entries(settingsTables()).reduce((text, [name, rows]) => {
    const [begin, end] = [`<!-- table: ${name} -->\n`, '<!-- end of table -->'];
    const from = text.indexOf(begin);
    const to = text.indexOf(end, from);
    if (from === -1 || to === -1) throw new Error(`docs/settings.md has no place for the table "${name}".`);
    return `${text.slice(0, from + begin.length)}\n${tableOf(rows)}\n\n${text.slice(to)}`;
  }, page);
}

/** A kind's folder and constant are named after its section. */
function docstringsOfFleet(section: string) {
  const constant = `${section.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())}Section`;
  return docstringsOf(`orchestrator/fleet/${section.replaceAll('_', '-')}/settings.ts`, constant);
}

function tableOf(rows: readonly SettingRow[]): string {
  const lines = rows.map((row) =>
    [`\`${row.key}\``, row.description, defaultOf(row), row.bounds]
      .map((cell) => cell.replaceAll('|', '\\|'))
      .join(' | '),
  );
  return [
    '| setting | what it is | default | what it may be |',
    '| --- | --- | --- | --- |',
    ...lines.map((line) => `| ${line} |`),
  ].join('\n');
}

function defaultOf({ fallback, isSection }: SettingRow): string {
  if (fallback === null) return 'must be written';
  return isSection && fallback === '{}' ? '' : `\`${fallback}\``;
}
