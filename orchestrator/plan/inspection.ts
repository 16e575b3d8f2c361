import type { ClientBase, DatabaseError } from 'pg';
import type { IndexDefinition } from '../../definition/definition.ts';
import type { Fault } from '../../definition/faults.ts';
import type { LoadedDefinition } from '../../definition/load.ts';
import type { Path } from '../../definition/yaml-file.ts';
import { databaseWords, offsetInPart } from './database-words.ts';

/** The check of one definition in one database. The single checks share it and add the faults that they find. */
export class Inspection {
  readonly client: ClientBase;
  readonly definition: IndexDefinition;
  readonly faults: Fault[] = [];
  /** What a run can live with, and a person should know. */
  readonly warnings: Fault[] = [];
  readonly #loaded: LoadedDefinition;

  constructor(client: ClientBase, loaded: LoadedDefinition) {
    this.client = client;
    this.definition = loaded.definition;
    this.#loaded = loaded;
  }

  /** Adds a fault. `offset` is a place in the setting's text. */
  fault(path: Path, message: string, offset = 0): void {
    this.faults.push(this.#loaded.faultAt(path, message, offset));
  }

  /** Adds a warning about a setting. */
  warn(path: Path, message: string): void {
    this.warnings.push(this.#loaded.faultAt(path, message));
  }

  /** Adds a fault that the database found in `part` of a statement. `part` is the setting's text. */
  databaseFault(path: Path, error: DatabaseError, statement: string, part: string): void {
    this.fault(path, databaseWords(error), offsetInPart(error, statement, part));
  }

  /** Whether something is wrong with a setting, or with one below it. */
  faultIn(setting: string): boolean {
    return this.faults.some(({ path }) => path.startsWith(setting));
  }
}
