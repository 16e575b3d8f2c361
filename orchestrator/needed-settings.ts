import { type Fault, Faults } from '../definition/faults.ts';
import type { YamlFile } from '../definition/yaml-file.ts';
import { commonShape } from './common-settings.ts';
import { FLEET_KINDS } from './fleet/kinds.ts';

/** The sections that a command reads. Faults of all others are told, and do not stop it. */
export interface NeededSettings {
  readonly sections: readonly string[];
  readonly onIgnored: (fault: Fault) => void;
}

/** What leads to the journal of a fleet, and to the search cluster. Where the journal is may follow from the cluster. */
export const JOURNAL_SECTIONS: readonly string[] = ['fleet', 'journal', 'aws', 'target'];
/** What leads to the instances too. */
export const FLEET_SECTIONS: readonly string[] = [
  ...JOURNAL_SECTIONS,
  ...FLEET_KINDS.map(({ section }) => section),
];

/** What a command does not need that ends a run which has read everything. */
const NOT_FOR_ENDING = ['definitions', 'definition', 'workers', 'ranges', 'price', 'report'];
/** What such a command needs: all the rest, so that no limit is left out. */
export const ENDING_SECTIONS: readonly string[] = [
  ...FLEET_SECTIONS,
  ...Object.keys(commonShape).filter((section) => !NOT_FOR_ENDING.includes(section)),
];

/** Sections that every settings file must have, in a form that nothing reads. */
const UNREAD: Readonly<Record<string, unknown>> = {
  definitions: '.',
  source: { url: 'postgresql://unread' },
};

/**
 * Checks settings for a command that needs only some of them. A section that it does not need is left out if it has a
 * fault. Nobody can mend a whole settings file in an incident.
 *
 * @param check throws Faults
 * @throws Faults of the needed sections
 */
export function checkNeeded<T>(
  yaml: YamlFile,
  { sections, onIgnored }: NeededSettings,
  check: (yaml: YamlFile) => T,
): T {
  try {
    return check(yaml);
  } catch (error) {
    if (!(error instanceof Faults)) throw error;
    const [needed, ignored] = partition(error.faults, ({ path }) => {
      const section = sectionOf(path);
      return section === '' || sections.includes(section);
    });
    if (needed.length > 0) throw new Faults(needed, { cause: error });
    const checked = check(without(yaml, new Set(ignored.map(({ path }) => sectionOf(path)))));
    for (const fault of ignored) onIgnored(fault);
    return checked;
  }
}

/** The first name of a fault's path. Empty for the whole file. */
function sectionOf(path: string): string {
  return path.split(/[.[]/)[0] ?? '';
}

function without(yaml: YamlFile, sections: ReadonlySet<string>): YamlFile {
  const written = Object.entries(yaml.value ?? {}).filter(([name]) => !sections.has(name));
  const stood = Object.entries(UNREAD).filter(([name]) => sections.has(name));
  return { ...yaml, value: Object.fromEntries([...written, ...stood]) };
}

function partition<T>(all: readonly T[], isFirst: (each: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((each) => !isFirst(each))];
}
