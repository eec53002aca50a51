import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytesBefore,
  entriesOf,
  entriesPerPack,
  type FoundPack,
  PACK_ENTRIES,
  packsOf,
  publishedAt as publishedAtIn,
} from '../../src/adapters/stream-redis/packs.ts';
import { offsetOf, placeOf } from '../../src/adapters/stream-redis/place.ts';
import type { StreamEntry } from '../../src/data-plane/ports.ts';

const MS = 1_790_000_000_000;

const publishedAt = fc.integer({ min: MS, max: MS + 1_000_000 });
const text = fc.string({ maxLength: 8 });
const event = fc.record({
  id: text,
  sourceId: text,
  key: text,
  at: fc.integer({ min: 0, max: MS }),
  value: fc.integer(),
});
const entry: fc.Arbitrary<StreamEntry> = fc.oneof(
  fc.record({
    type: fc.constant('event'),
    event,
    publisher: fc.oneof(
      fc.constant({ kind: 'live' } as const),
      text.map((backfillId) => ({ kind: 'backfill', backfillId }) as const),
    ),
    publishedAt,
  }),
  fc.record({
    type: fc.constant('marker'),
    backfillId: text,
    leaseId: text,
    fencingToken: fc.nat(),
    count: fc.nat(),
    publishedAt,
  }),
);
const appends = fc.array(fc.array(entry, { minLength: 1, maxLength: 3 * PACK_ENTRIES + 1 }), {
  minLength: 1,
  maxLength: 4,
});

const ENTRY: StreamEntry = {
  type: 'event',
  event: { id: 'e#1', sourceId: 'west', key: 'LAX', at: 7, value: -3 },
  publisher: { kind: 'live' },
  publishedAt: MS,
};

/** As the server keeps them: each under the id of its last entry, with the bytes before it; each append in a millisecond of its own. */
function kept(batches: readonly StreamEntry[][]): { packs: FoundPack[]; offsets: string[]; bytes: number[] } {
  const packs: FoundPack[] = [];
  const offsets: string[] = [];
  const bytes: number[] = [];
  let sum = 0;
  for (const [batch, entries] of batches.entries()) {
    for (const pack of packsOf(entries)) {
      for (let inPack = 0; inPack < pack.count; inPack++)
        offsets.push(offsetOf({ ordinal: offsets.length + 1, ms: MS + batch }));
      const fields = ['p', `${pack.text},${sum}]`, 'n', `${pack.count}`];
      packs.push([`${MS + batch}-${offsets.length}`, fields]);
      bytes.push(sum);
      sum += pack.text.length;
    }
  }
  return { packs, offsets, bytes };
}

const lastOf = ([id]: FoundPack): number => Number(id.split('-')[1]);
/** As XREAD finds them. */
const after = (packs: readonly FoundPack[], ordinal: number) =>
  packs.filter((pack) => lastOf(pack) > ordinal);

describe('packs of entries', () => {
  it('whatever is read after whatever place is what was appended after it, in order, each at its own offset', () => {
    fc.assert(
      fc.property(appends, fc.nat(), fc.integer({ min: 1, max: 200 }), (batches, somewhere, most) => {
        const all = batches.flat();
        const { packs, offsets } = kept(batches);
        const known = somewhere % all.length;
        const place = known === 0 ? null : placeOf(offsets[known - 1] as string);
        const read = entriesOf(after(packs, known), place, most);
        const wanted = all.slice(known, known + most);
        expect(read.map((one) => one.entry)).toEqual(wanted);
        expect(read.map((one) => one.offset)).toEqual(offsets.slice(known, known + most));
      }),
    );
  });

  it('where any entry may be the first, reading begins with the first of the oldest pack', () => {
    fc.assert(
      fc.property(appends, fc.nat(), (batches, trimmed) => {
        const { packs, offsets } = kept(batches);
        const left = packs.slice(trimmed % packs.length);
        const before = lastOf(left[0] as FoundPack) - Number(left[0]?.[1][3]);
        expect(entriesOf(left, null, 1_000)[0]?.offset).toBe(offsets[before]);
      }),
    );
  });

  it('a pack that is missing is a gap: among those that were found, and before them', () => {
    fc.assert(
      fc.property(appends, fc.nat(), (batches, which) => {
        const { packs } = kept(batches);
        fc.pre(packs.length > 1);
        const missing = which % (packs.length - 1);
        const left = packs.filter((_, index) => index !== missing);
        expect(() => entriesOf(left, { ordinal: 0, ms: MS }, 1_000)).toThrow(
          expect.objectContaining({ code: 'gap' }),
        );
      }),
    );
  });

  it('a place of another millisecond does not lie within a pack, whatever its ordinal: it was given out before the end was lost', () => {
    const [pack] = kept([[ENTRY, ENTRY, ENTRY]]).packs as [FoundPack];
    expect(entriesOf([pack], { ordinal: 2, ms: MS }, 10)).toHaveLength(1);
    const lost = () => entriesOf([pack], { ordinal: 2, ms: MS - 1 }, 10);
    expect(lost).toThrow(expect.objectContaining({ code: 'gap' }));
  });

  it('tells the bytes before it, how many entries are in a pack, and when one of them was published', () => {
    fc.assert(
      fc.property(appends, fc.nat(), (batches, somewhere) => {
        const all = batches.flat();
        const { packs, bytes } = kept(batches);
        expect(packs.map(bytesBefore)).toEqual(bytes);
        expect(entriesPerPack(packs)).toBeCloseTo(all.length / packs.length);
        const known = somewhere % all.length;
        const pack = after(packs, known)[0] as FoundPack;
        expect(publishedAtIn(pack, known + 1)).toBe(all[known]?.publishedAt);
      }),
    );
  });

  it('an entry that was written before there were packs is one, among packs too', () => {
    const [pack] = kept([[ENTRY]]).packs as [FoundPack];
    const older: FoundPack = [`${MS}-6`, ['e', '[0,1790000000000,"e#1","west","LAX",7,-3,512]']];
    const newer: FoundPack = [`${MS}-7`, pack[1]];
    const read = entriesOf([older, newer], { ordinal: 5, ms: MS }, 10);
    expect(read).toEqual([
      { offset: offsetOf({ ordinal: 6, ms: MS }), entry: ENTRY },
      { offset: offsetOf({ ordinal: 7, ms: MS }), entry: ENTRY },
    ]);
    expect(bytesBefore(older)).toBe(512);
  });

  it.each<[string, string[]]>([
    ['another field', ['event', '{}']],
    ['no field of a number', ['p', '[[0,1,"a","west","LAX",2,3],0]', 'm', '1']],
    ['no number', ['p', '[[0,1,"a","west","LAX",2,3],0]']],
    ['a pack in the field of a record', ['e', '[[0,1,"a","west","LAX",2,3],0]', 'n', '1']],
    ['an entry that is no list', ['p', '[0,0]', 'n', '1']],
    ['another number of entries', ['p', '[[0,1,"a","west","LAX",2,3],0]', 'n', '2']],
    ['a text that was cut', ['p', '[[0,1,"a","wes', 'n', '1']],
    ['no list', ['p', '{"a":1}', 'n', '1']],
    ['nothing', ['p', '', 'n', '0']],
  ])('%s is corrupt, and said to be of which entry', (_, fields) => {
    const pack: FoundPack = [`${MS}-7`, fields];
    const corrupt = expect.objectContaining({
      code: 'stream_corrupt',
      message: expect.stringContaining(`${MS}-7`),
    });
    expect(() => entriesOf([pack], null, 10)).toThrow(corrupt);
    expect(() => bytesBefore(pack)).toThrow(corrupt);
  });
});
