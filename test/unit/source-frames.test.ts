import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INTEGER_KEY_BYTES } from '../../worker/key/integer-bytes.ts';
import { CopyFrames, type FrameEvent, type FrameLimits } from '../../worker/source/frames.ts';
import { TaskFailure } from '../../worker/task-failure.ts';

const LIMITS: FrameLimits = { columns: 2, maxRowBytes: 1_000, headBytes: 14, keys: INTEGER_KEY_BYTES };
const FILE_HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const TRAILER = Buffer.from([0xff, 0xff]);

function message(type: string, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(5);
  header.write(type, 'latin1');
  header.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

function row(key: bigint, text: string): Buffer {
  const head = Buffer.alloc(18);
  head.writeInt16BE(2);
  head.writeInt32BE(8, 2);
  head.writeBigInt64BE(key, 6);
  head.writeInt32BE(Buffer.byteLength(text), 14);
  return Buffer.concat([head, Buffer.from(text)]);
}

const COPY_OUT = message('H', Buffer.from([1, 0, 2, 0, 1, 0, 1]));
const NOTICE = message('N', Buffer.from('SNOTICE\0VNOTICE\0C00000\0Mhello\0\0'));
const PARAMETER = message('S', Buffer.from('TimeZone\0UTC\0'));
const NOTIFICATION = message('A', Buffer.from('\0\0\0\x01channel\0payload\0'));
const ERROR = message('E', Buffer.from('SFEHLER\0VERROR\0C22P02\0Minvalid input\0Dmore of it\0\0'));
const READY = message('Z', Buffer.from('T'));

function complete(rows: number): Buffer[] {
  return [message('d', TRAILER), message('c'), message('C', Buffer.from(`COPY ${rows}\0`)), READY];
}

/** A whole COPY; the header of the file stands in the message of the first row, as PostgreSQL sends it. */
function copyOf(rows: readonly Buffer[], between: readonly Buffer[] = []): Buffer {
  const messages = rows.map((bytes, i) =>
    message('d', i === 0 ? Buffer.concat([FILE_HEADER, bytes]) : bytes),
  );
  const trailer =
    rows.length === 0
      ? [message('d', Buffer.concat([FILE_HEADER, TRAILER])), ...complete(0).slice(1)]
      : complete(rows.length);
  return Buffer.concat([
    COPY_OUT,
    ...between,
    ...messages.flatMap((bytes) => [bytes, ...between]),
    ...trailer,
  ]);
}

interface Seen {
  readonly event: FrameEvent;
  readonly row?: string;
  readonly key?: bigint;
  readonly bytes?: number;
}

/** Feeds the pieces; each event but `more`, with its row. */
function read(pieces: readonly Buffer[], limits = LIMITS): Seen[] {
  const frames = new CopyFrames(limits);
  const seen: Seen[] = [];
  for (const piece of pieces) {
    frames.feed(piece);
    for (let event = frames.next(); event !== 'more'; event = frames.next()) {
      if (event === 'row') seen.push({ event, row: frames.bytes.toString('hex', frames.start, frames.end) });
      else if (event === 'oversized')
        seen.push({ event, key: frames.bytes.readBigInt64BE(frames.start + 6), bytes: frames.rowBytes });
      else seen.push({ event });
      if (event === 'error' || event === 'ready') return seen;
    }
  }
  return seen;
}

/** Cuts where told; offsets beyond the end do nothing. */
function cut(stream: Buffer, offsets: readonly number[]): Buffer[] {
  const ends = [...new Set(offsets.filter((offset) => offset < stream.length)), stream.length].sort(
    (a, b) => a - b,
  );
  return ends.map((end, i) => Buffer.from(stream.subarray(ends[i - 1] ?? 0, end)));
}

function failureOf(use: () => unknown): unknown {
  try {
    use();
    return null;
  } catch (error) {
    return error;
  }
}

const rows = [row(1n, 'one'), row(-2n, ''), row(2n ** 63n - 1n, 'x'.repeat(500))];
const whole: Seen[] = [
  ...rows.map((bytes): Seen => ({ event: 'row', row: bytes.toString('hex') })),
  { event: 'ready' },
];

describe('the framer of a COPY stream', () => {
  it('finds the rows of a stream that arrives in one piece', () => {
    expect(read([copyOf(rows)])).toEqual(whole);
    expect(read([copyOf([])])).toEqual([{ event: 'ready' }]);
  });

  it('finds the rows when the stream is cut at every byte', () => {
    const stream = copyOf(rows, [NOTICE, PARAMETER, NOTIFICATION]);
    for (let at = 1; at < stream.length; at++) expect(read(cut(stream, [at]))).toEqual(whole);
    expect(read(cut(stream, Array.from(stream.keys())))).toEqual(whole);
  });

  it('finds any rows with any cuts and with other messages between them', () => {
    const anyRow = fc
      .tuple(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.string({ maxLength: 900 }))
      .map(([key, text]) => row(key, text));
    const between = fc.array(fc.constantFrom(NOTICE, PARAMETER, NOTIFICATION), { maxLength: 2 });
    const cuts = fc.array(fc.nat(20_000), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 20 }), between, cuts, (some, noise, offsets) => {
        const limits = { ...LIMITS, maxRowBytes: 5_000 };
        const expected: Seen[] = [
          ...some.map((bytes): Seen => ({ event: 'row', row: bytes.toString('hex') })),
          { event: 'ready' },
        ];
        expect(read(cut(copyOf(some, noise), offsets), limits)).toEqual(expected);
      }),
    );
  });

  it('keeps only the beginning of a row over the limit, wherever the stream is cut', () => {
    const large = row(77n, 'y'.repeat(5_000));
    const stream = copyOf([large, row(78n, 'after'), large]);
    const expected: Seen[] = [
      { event: 'oversized', key: 77n, bytes: large.length },
      { event: 'row', row: row(78n, 'after').toString('hex') },
      { event: 'oversized', key: 77n, bytes: large.length },
      { event: 'ready' },
    ];
    expect(read([stream])).toEqual(expected);
    for (let at = 1; at < stream.length; at += 7) expect(read(cut(stream, [at]))).toEqual(expected);
    expect(read(cut(stream, Array.from(stream.keys())))).toEqual(expected);
  });

  it('holds no memory for a row of a gigabyte', () => {
    const frames = new CopyFrames(LIMITS);
    const head = message('d', Buffer.concat([FILE_HEADER, row(5n, '')]));
    head.writeInt32BE(1024 ** 3, 1);
    frames.feed(Buffer.concat([COPY_OUT, head]));
    expect(frames.next()).toBe('more');
    const before = process.memoryUsage().arrayBuffers;
    const piece = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 1023; i++) {
      frames.feed(piece);
      expect(frames.next()).toBe('more');
    }
    frames.feed(piece);
    expect(frames.next()).toBe('oversized');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  });

  it('stays on a row until the next one is requested', () => {
    const frames = new CopyFrames(LIMITS);
    frames.feed(copyOf(rows));
    const seen = [
      frames.next(),
      frames.bytes.readBigInt64BE(frames.start + 6),
      frames.next(),
      frames.bytes.readBigInt64BE(frames.start + 6),
    ];
    expect(seen).toEqual(['row', 1n, 'row', -2n]);
  });

  it('reports an error in the middle of the stream with its SQLSTATE, wherever the stream is cut', () => {
    const stream = Buffer.concat([
      COPY_OUT,
      message('d', Buffer.concat([FILE_HEADER, row(1n, 'one')])),
      ERROR,
      READY,
    ]);
    for (let at = 1; at < stream.length; at++) {
      expect(read(cut(stream, [at])).map(({ event }) => event)).toEqual(['row', 'error']);
    }
    const frames = new CopyFrames(LIMITS);
    frames.feed(ERROR);
    expect(frames.next()).toBe('error');
    expect(frames.error).toMatchObject({
      message: 'invalid input',
      code: '22P02',
      severity: 'ERROR',
      detail: 'more of it',
    });
  });

  it.each([
    ['another message', [COPY_OUT, message('T')]],
    ['a row before the COPY has begun', [message('d', row(1n, 'one'))]],
    ['text format', [message('H', Buffer.from([0, 0, 2]))]],
    ['another number of columns announced', [message('H', Buffer.from([1, 0, 3]))]],
    [
      'another signature',
      [COPY_OUT, message('d', Buffer.concat([Buffer.from('PGCOPY\n\xff\r\r\0', 'latin1'), Buffer.alloc(8)]))],
    ],
    [
      'flags that are not known',
      [
        COPY_OUT,
        message('d', Buffer.concat([FILE_HEADER.subarray(0, 14), Buffer.from([1]), Buffer.alloc(4)])),
      ],
    ],
    [
      'another number of columns',
      [COPY_OUT, message('d', Buffer.concat([FILE_HEADER, Buffer.from([0, 3]), row(1n, 'a').subarray(2)]))],
    ],
    [
      'a key that is null',
      [
        COPY_OUT,
        message(
          'd',
          Buffer.concat([FILE_HEADER, Buffer.from([0, 2, 0xff, 0xff, 0xff, 0xff]), Buffer.alloc(12)]),
        ),
      ],
    ],
    [
      'an end without a trailer',
      [COPY_OUT, message('d', Buffer.concat([FILE_HEADER, row(1n, 'a')])), message('c')],
    ],
    [
      'a row behind the trailer',
      [COPY_OUT, message('d', Buffer.concat([FILE_HEADER, TRAILER])), message('d', row(1n, 'a'))],
    ],
    [
      'a wrong number of rows',
      [COPY_OUT, message('d', Buffer.concat([FILE_HEADER, row(1n, 'a')])), ...complete(2)],
    ],
    ['ready before complete', [COPY_OUT, READY]],
    ['a second beginning', [COPY_OUT, COPY_OUT]],
    ['a message without a length', [COPY_OUT, Buffer.from([0x64, 0, 0, 0, 3])]],
  ])('refuses %s', (_name, messages) => {
    const stream = Buffer.concat(messages);
    expect(() => read([stream])).toThrow(TaskFailure);
    for (let at = 1; at < stream.length; at++) expect(() => read(cut(stream, [at]))).toThrow(TaskFailure);
  });

  it('either refuses noise or waits for more bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), fc.nat(600), (noise, at) => {
        const stream = copyOf(rows);
        const broken = Buffer.concat([stream.subarray(0, at), noise, stream.subarray(at)]);
        expect(failureOf(() => read([broken]))).toSatisfy(
          (failure) => failure === null || failure instanceof TaskFailure,
        );
      }),
      { numRuns: 2_000 },
    );
  });
});
