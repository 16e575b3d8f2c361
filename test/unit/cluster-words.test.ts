import { describe, expect, it } from 'vitest';
import { safeClusterWords } from '../../worker/targets/bulk/cluster-words.ts';

/** Stands where the cluster puts the value of a document. */
const VALUE = 'jane@example.org';
const FIELDS = ['price', 'note', 'data'];

const MAPPING = 'mapper_parsing_exception';
const PREVIEW = `failed to parse field [price] of type [integer] in document with id '7'. Preview of field's value: '${VALUE}': For input string: "${VALUE}"`;

describe('the cluster’s words about a document', () => {
  it.each([
    [
      MAPPING,
      PREVIEW,
      'number_format_exception',
      'The field "price" of type integer is refused: mapper_parsing_exception, number_format_exception.',
    ],
    [
      'illegal_argument_exception',
      `Document contains at least one immense term in field="note" (whose UTF8 encoding is longer than the max length 32766), all of which were skipped. The prefix of the first immense term is: '[${VALUE}]...'`,
      'max_bytes_length_exceeded_exception',
      'The field "note" is refused: illegal_argument_exception, max_bytes_length_exceeded_exception, a term is longer than 32,766 bytes.',
    ],
    [
      MAPPING,
      `failed to parse date field [${VALUE}] with format [strict_date_optional_time]`,
      null,
      'The document is refused: mapper_parsing_exception, a date is in no format of the mapping.',
    ],
    [
      MAPPING,
      `failed to parse field [data.${VALUE}] of type [long]`,
      null,
      'The field "data" of type long is refused: mapper_parsing_exception.',
    ],
    [
      'strict_dynamic_mapping_exception',
      `mapping set to strict, dynamic introduction of [${VALUE}] within [other] is not allowed`,
      null,
      'The document is refused: strict_dynamic_mapping_exception, the mapping does not allow a field.',
    ],
    ['fail_processor_exception', VALUE, null, 'The document is refused: fail_processor_exception.'],
    [`odd ${VALUE}`, VALUE, VALUE, 'The document is refused: for a reason without a known type.'],
  ])('hold type, field and kind, and no value: %s, %s', (type, reason, cause, words) => {
    expect(safeClusterWords({ type, reason, cause }, { fields: FIELDS, keepFields: ['note2'] })).toBe(words);
  });

  it('are whole where the definition lets the field be kept', () => {
    const saying = { type: MAPPING, reason: PREVIEW, cause: null };
    expect(safeClusterWords(saying, { fields: FIELDS, keepFields: ['price'] })).toBe(PREVIEW);
    expect(safeClusterWords(saying, { fields: FIELDS, keepFields: ['note'] })).not.toContain(VALUE);
  });
});
