import type { IndexDefinition } from '../definition/definition.ts';
import type { Key, KeyKind } from '../definition/key/key-kind.ts';
import { keyKindOf } from '../definition/key/kinds.ts';
import { faultOfTarget } from '../definition/reading.ts';
import type { TaskRequest, TaskTarget } from './contract.ts';
import { Refusal } from './refusal.ts';

/** A definition that the worker has. */
export interface KnownDefinition {
  readonly definition: IndexDefinition;
  /** Its `digestDefinition`, which is the first part of a task's `definition_digest`. */
  readonly digest: string;
}

/** The definitions that a task names. */
export interface TaskDefinitions {
  readonly reading: IndexDefinition;
  /** In the order of the task's targets. */
  readonly targets: readonly DefinedTarget[];
}

export interface DefinedTarget {
  readonly target: TaskTarget;
  readonly definition: IndexDefinition;
}

/**
 * Finds the definitions that a task names among those of the worker.
 * @throws Refusal 404 for an unknown definition; 409 for one with another digest, or with fields that its reading lacks;
 * 400 for changed_since without changed_at
 */
export function taskDefinitions(request: TaskRequest, known: readonly KnownDefinition[]): TaskDefinitions {
  const reading = find(request, known, '');
  if (request.changed_since !== undefined && reading.source.changedAt === null) {
    const message = `The definition ${reading.name} has no changed_at, so nobody knows which rows changed: leave changed_since out.`;
    throw new Refusal(400, message, { field: 'changed_since' });
  }
  const targets = request.targets.map((target, i) => {
    const definition = find(target, known, `targets.${i}.`);
    const fault = faultOfTarget(reading, definition);
    if (fault !== null) throw new Refusal(409, fault, { field: `targets.${i}.definition` });
    return { target, definition };
  });
  return { reading, targets };
}

/** @param place what stands before the names of its fields */
function find(
  { definition: name, definition_digest: digest }: Pick<TaskRequest, 'definition' | 'definition_digest'>,
  known: readonly KnownDefinition[],
  place: string,
): IndexDefinition {
  const found = known.find(({ definition }) => definition.name === name);
  if (found === undefined) {
    const names = known.map(({ definition }) => definition.name).join(', ');
    throw new Refusal(
      404,
      `This worker has no definition ${name}. It has ${names}. Use an image that has the definition.`,
      {
        field: `${place}definition`,
      },
    );
  }
  if (digest.split('.')[0] !== found.digest) {
    const message = `The definition ${name} of this worker is another one: its digest is ${found.digest}. Use an image with the run's definition.`;
    throw new Refusal(409, message, { field: `${place}definition_digest` });
  }
  return found.definition;
}

/**
 * The kind of a task's keys.
 * @throws Refusal 400 if a key is of another kind, or the range holds no key
 */
export function taskKeyKind({ reading }: TaskDefinitions, request: TaskRequest): KeyKind {
  const kind = keyKindOf(reading);
  const { start_index: start, end_index: end } = request;
  const first = start === null ? null : keyOfKind(kind, start, 'start_index');
  const behind = end === null ? null : keyOfKind(kind, end, 'end_index');
  if (first !== null && behind !== null && kind.compare(first, behind) >= 0) {
    const message = 'end_index must be above start_index, because the range is half-open and not empty';
    throw new Refusal(400, message, { field: 'end_index' });
  }
  return kind;
}

/** @throws Refusal 400 */
export function keyOfKind(kind: KeyKind, text: string, field: string): Key {
  const key = kind.parse(text);
  if (key === null) throw new Refusal(400, `${field}: a key is ${kind.form}`, { field });
  return key;
}
