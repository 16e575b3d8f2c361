import { joinInt8, readInt4, readUint4, writePadded } from './bytes.ts';
import { UNREPRESENTABLE, type ValueWriter } from './value-writer.ts';

/**
 * Dates come as days, times as microseconds since 2000-01-01; the largest and smallest number are the infinities.
 * Source: src/include/datatype/timestamp.h and src/include/utils/date.h of PostgreSQL.
 */
const MICROS_PER_DAY = 86_400_000_000;
/** The years that ISO 8601 writes with four digits: 0001-01-01 to 9999-12-31, in days since 2000-01-01. */
const FIRST_DAY = -730_119;
const LAST_DAY = 2_921_939;
/** So much earlier than the first that rounding does not matter. */
const EARLIER_DAY = FIRST_DAY - 2;
/** From the 1st of March of year 0, in which the calendar's arithmetic is regular, to 2000-01-01. */
const DAYS_FROM_YEAR_0 = 730_425;
/** Days of 400 years of the Gregorian calendar. */
const DAYS_PER_ERA = 146_097;

const QUOTE = 0x22;
const HYPHEN = 0x2d;
const COLON = 0x3a;
const POINT = 0x2e;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

export const writeDate: ValueWriter = (source, at, target, position) => {
  const days = readInt4(source, at);
  if (days < FIRST_DAY || days > LAST_DAY) return UNREPRESENTABLE;
  target[position] = QUOTE;
  const to = writeDay(target, position + 1, days);
  target[to] = QUOTE;
  return to + 1;
};

/** timestamp and timestamptz alike, in UTC: `2024-02-29T23:59:59.5Z`. */
export const writeTimestamp: ValueWriter = (source, at, target, position) => {
  const high = readInt4(source, at);
  const micros = high * 0x100000000 + readUint4(source, at + 4);
  let days = Math.floor(micros / MICROS_PER_DAY);
  if (days < EARLIER_DAY || days > LAST_DAY + 1) return UNREPRESENTABLE;
  let ofDay = micros - days * MICROS_PER_DAY;
  if (!Number.isSafeInteger(micros)) {
    // Before 1714 and after 2285 a double is too coarse for microseconds.
    const sinceEarlier =
      joinInt8(high, readUint4(source, at + 4)) - BigInt(EARLIER_DAY) * BigInt(MICROS_PER_DAY);
    days = Number(sinceEarlier / BigInt(MICROS_PER_DAY)) + EARLIER_DAY;
    ofDay = Number(sinceEarlier % BigInt(MICROS_PER_DAY));
  }
  if (days < FIRST_DAY || days > LAST_DAY) return UNREPRESENTABLE;
  target[position] = QUOTE;
  let to = writeDay(target, position + 1, days);
  target[to++] = LETTER_T;
  to = writeTimeOfDay(target, to, ofDay);
  target[to] = LETTER_Z;
  target[to + 1] = QUOTE;
  return to + 2;
};

/** Days since 2000-01-01 to year, month and day ("chrono-Compatible Low-Level Date Algorithms", civil_from_days). */
function writeDay(target: Buffer, position: number, days: number): number {
  const fromYear0 = days + DAYS_FROM_YEAR_0;
  const era = Math.floor(fromYear0 / DAYS_PER_ERA);
  const dayOfEra = fromYear0 - era * DAYS_PER_ERA;
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0));
  // Months are counted from March, so that the leap day is the year's last.
  const month = ((5 * dayOfYear + 2) / 153) | 0;
  const day = dayOfYear - (((153 * month + 2) / 5) | 0) + 1;
  const year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0);
  let to = writePadded(target, position, year, 4);
  target[to++] = HYPHEN;
  to = writePadded(target, to, month < 10 ? month + 3 : month - 9, 2);
  target[to++] = HYPHEN;
  return writePadded(target, to, day, 2);
}

function writeTimeOfDay(target: Buffer, position: number, microsOfDay: number): number {
  const seconds = Math.floor(microsOfDay / 1_000_000);
  const micros = microsOfDay - seconds * 1_000_000;
  const minutes = (seconds / 60) | 0;
  const hours = (minutes / 60) | 0;
  let to = writePadded(target, position, hours, 2);
  target[to++] = COLON;
  to = writePadded(target, to, minutes - hours * 60, 2);
  target[to++] = COLON;
  to = writePadded(target, to, seconds - minutes * 60, 2);
  return micros === 0 ? to : writeFraction(target, to, micros);
}

/** Six places less the trailing zeros. */
function writeFraction(target: Buffer, position: number, micros: number): number {
  let width = 6;
  let fraction = micros;
  while (fraction % 10 === 0) {
    fraction /= 10;
    width--;
  }
  target[position] = POINT;
  return writePadded(target, position + 1, fraction, width);
}
