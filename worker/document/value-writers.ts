import { fieldType, OID } from '../../definition/field-types.ts';
import { arrayWriter } from './array.ts';
import { readInt2, readInt4, readUint4, writeAscii, writeInt4, writeInt8 } from './bytes.ts';
import { writeDate, writeTimestamp } from './dates.ts';
import { writeFloat4, writeFloat8 } from './float.ts';
import { writeNumeric } from './numeric.ts';
import { writeJson, writeJsonb, writeText, writeUuid } from './text.ts';
import type { ValueWriter } from './value-writer.ts';

const writeBoolean: ValueWriter = (source, at, target, position) =>
  writeAscii(target, position, source[at] === 0 ? 'false' : 'true');

const writeShort: ValueWriter = (source, at, target, position) =>
  writeInt4(target, position, readInt2(source, at));

const writeInteger: ValueWriter = (source, at, target, position) =>
  writeInt4(target, position, readInt4(source, at));

const writeBigInteger: ValueWriter = (source, at, target, position) =>
  writeInt8(target, position, readInt4(source, at), readUint4(source, at + 4));

const WRITERS: ReadonlyMap<number, ValueWriter> = new Map<number, ValueWriter>([
  [OID.bool, writeBoolean],
  [OID.int2, writeShort],
  [OID.int4, writeInteger],
  [OID.int8, writeBigInteger],
  [OID.float4, writeFloat4],
  [OID.float8, writeFloat8],
  [OID.numeric, writeNumeric],
  [OID.text, writeText],
  [OID.varchar, writeText],
  [OID.bpchar, writeText],
  [OID.name, writeText],
  [OID.uuid, writeUuid],
  [OID.date, writeDate],
  [OID.timestamp, writeTimestamp],
  [OID.timestamptz, writeTimestamp],
  [OID.json, writeJson],
  [OID.jsonb, writeJsonb],
]);

/**
 * The writer of a column's values; a type without its own comes as jsonb (see `selectRows` in definition/sql.ts).
 * @param nullElements within arrays: null for what JSON cannot say; false: the array as a whole is unrepresentable
 */
export function valueWriter(oid: number, nullElements: boolean): ValueWriter {
  const { native, elementOid } = fieldType(oid);
  if (!native) return writeJsonb;
  const writer = WRITERS.get(elementOid ?? oid);
  if (writer === undefined) throw new Error(`The type ${oid} is said to be native but has no encoder.`);
  return elementOid === null ? writer : arrayWriter(writer, nullElements);
}
