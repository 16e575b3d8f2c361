import { describe, expect, it } from 'vitest';
import { type BulkRequest, failedItem, type ItemAnswer, storeAll } from '../support/scripted-cluster.ts';
import { countsOf, TARGET, write, writerSetups } from '../support/writer-setup.ts';

/** A cluster that says by its own word, 5xx, that a document cannot be written; it is a scripted stand-in for a cluster. */

const setup = writerSetups();

/** Fails the items of these ids in the target, and stores the others. */
function failing(ids: readonly string[], answer: (id: string) => ItemAnswer) {
  return ({ alias, ids: sent }: BulkRequest): ItemAnswer[] =>
    alias === TARGET.write_alias ? sent.map((id) => (ids.includes(id) ? answer(id) : null)) : storeAll();
}

function lettersIn({ requests }: { readonly requests: readonly BulkRequest[] }): string[] {
  return requests.filter(({ alias }) => alias === TARGET.dead_letter_alias).flatMap((one) => one.documents);
}

describe('a document that fails with 5xx each time', () => {
  it('is a dead letter after some tries alone, while the rest of its bulk settles at once', async () => {
    const s = await setup(
      failing(['4'], (id) => failedItem(id, 500, 'fail_processor_exception', 'no: jane@example.org')),
    );
    await write(s, 10);
    expect(countsOf(s)).toMatchObject({ indexed: 9, deadLetters: 1 });
    expect(lettersIn(s.cluster)).toEqual([
      '{"id":4,"type":"fail_processor_exception","reason":"The document is refused: fail_processor_exception.","fields":null}',
    ]);
    const sent = s.cluster.requests.filter(({ alias }) => alias === TARGET.write_alias);
    expect(sent.map(({ ids }) => ids.length)).toEqual([10, 1, 1, 1, 1, 1]);
  });

  it('is a dead letter also where its batch holds no other', async () => {
    const s = await setup(failing(['3'], (id) => failedItem(id, 500, 'script_exception')));
    await write(s, 2, 1);
    expect(countsOf(s)).toMatchObject({ indexed: 2, deadLetters: 1 });
  });

  it('is a dead letter when the kind of its error is not known, and it is the last of its task', async () => {
    const s = await setup(failing(['3'], (id) => failedItem(id, 500, 'null_pointer_exception')));
    await write(s, 3);
    expect(countsOf(s)).toMatchObject({ indexed: 2, deadLetters: 1 });
  });

  it('is a dead letter when the kind of its error is not known, while other documents are taken', async () => {
    const answer = failing(['3'], (id) => failedItem(id, 503, 'some_exception'));
    const held: (() => void)[] = [];
    let over = false;
    const s = await setup(async (request) => {
      over ||= request.alias === TARGET.dead_letter_alias;
      // Others are answered after a try of this document, so that some are taken between any two.
      if (over || request.ids.includes('3')) for (const release of held.splice(0)) release();
      else await new Promise<void>((resolve) => held.push(resolve));
      return answer(request);
    });
    await write(s, 3, ...Array.from({ length: 30 }, () => 1));
    expect(countsOf(s)).toMatchObject({ indexed: 32, deadLetters: 1 });
  });

  it('is tried again and indexed when it fails only at first', async () => {
    let tries = 0;
    const s = await setup((request) =>
      failing(tries++ < 3 ? ['4'] : [], (id) => failedItem(id, 500, 'fail_processor_exception'))(request),
    );
    await write(s, 10);
    expect(countsOf(s)).toMatchObject({ indexed: 10, deadLetters: 0 });
  });
});

describe('a cluster that fails for all documents with 5xx', () => {
  it.each([
    ['some_exception', 500],
    ['some_exception', 503],
  ])('is waited for, and no document becomes a dead letter: %s with %i', async (type, status) => {
    let requests = 0;
    const s = await setup(({ ids }) =>
      ++requests <= 7 ? ids.map((id) => failedItem(id, status, type, 'of jane@example.org')) : storeAll(),
    );
    const written = write(s, 20);
    await expect.poll(() => s.writer.trouble, { interval: 5 }).not.toBeNull();
    expect(s.writer.trouble).toBe(`The document is refused: ${type} (key 1)`);
    await written;
    expect(countsOf(s)).toMatchObject({ indexed: 20, deadLetters: 0 });
    expect(s.writer.trouble).toBeNull();
  });

  it('is waited for when a shard of it is not there, though other shards take their documents', async () => {
    let requests = 0;
    const s = await setup((request) =>
      ++requests <= 8
        ? failing(['2', '5'], (id) => failedItem(id, 503, 'unavailable_shards_exception'))(request)
        : storeAll(),
    );
    await write(s, 6);
    expect(countsOf(s)).toMatchObject({ indexed: 6, deadLetters: 0 });
  });

  it('stops the task with type and key when it is its pipeline that fails for each of many documents', async () => {
    const s = await setup(({ alias, ids }) =>
      alias === TARGET.write_alias
        ? ids.map((id) => failedItem(id, 500, 'fail_processor_exception', 'of jane@example.org'))
        : storeAll(),
    );
    const failure: unknown = await write(s, 150).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      next: 'stop',
      type: 'fail_processor_exception',
      message: expect.stringMatching(/fails for each of 150 documents.*\(key 1\)/),
    });
    expect(String(failure)).not.toContain('jane');
  });
});
