import type { Field } from './field-differences.ts';

type Fields = Readonly<Record<string, Field>>;

/**
 * The fields of an index without those that documents may have brought. An object of the definition takes such fields if
 * its mapping is dynamic, and so do the objects in it, unless they say otherwise. Pure.
 *
 * @param takes whether the object around the fields takes others
 */
export function withoutBroughtFields(wanted: Fields, found: Fields, takes = false): Fields {
  return Object.fromEntries(
    Object.entries(found).flatMap(([name, field]): [string, Field][] => {
      const asked = wanted[name];
      if (asked === undefined) return takes ? [] : [[name, field]];
      const { properties, ...rest } = field;
      if (properties === undefined) return [[name, field]];
      const left = withoutBroughtFields(
        propertiesOf(asked),
        propertiesOf(field),
        takesFields(asked['dynamic'], takes),
      );
      const isBare = Object.keys(left).length === 0 && asked['properties'] === undefined;
      return [[name, isBare ? rest : { ...rest, properties: left }]];
    }),
  );
}

/** Whether an object takes fields that it does not name. Absent: as the object around it. */
function takesFields(dynamic: unknown, around: boolean): boolean {
  if (dynamic === undefined) return around;
  return dynamic !== false && dynamic !== 'false' && dynamic !== 'strict';
}

/** Whether any object among these fields, or within them, takes fields that it does not name. */
export function anyTakesFields(fields: Fields, around = false): boolean {
  return Object.values(fields).some(
    (field) =>
      takesFields(field['dynamic'], around) ||
      anyTakesFields(propertiesOf(field), takesFields(field['dynamic'], around)),
  );
}

function propertiesOf({ properties }: Field): Fields {
  return typeof properties === 'object' && properties !== null ? (properties as Fields) : {};
}
