import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { changeOf, collectionName, epoch, lane, refOf, seq } from '../conformance/writes.ts';
import {
  collectionOfRow,
  documentRange,
  documentRowKey,
  indexPrefix,
  indexValuePrefix,
  lanePrefix,
  logRange,
  logRowKey,
  outcomeKeyOfSuperseded,
  outcomeRowKey,
  seqOfRow,
  supersededRowKey,
  timeOfRow,
  timeRowKey,
} from './keys.ts';

const key = (collection: string, id: string) => documentRowKey(collectionName(collection), refOf(collection, id).key);
const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }).filter((text) => !text.includes('\0'));

describe('document rows', () => {
  it('name their collection', () => {
    fc.assert(
      fc.property(name, name, (collection, id) => expect(collectionOfRow(key(collection, id))).toBe(collection)),
    );
  });

  it('lie in the range of their collection and in no other', () => {
    fc.assert(
      fc.property(name, name, name, (collection, other, id) => {
        const { start, end } = documentRange(collectionName(other));
        const row = key(collection, id);
        expect(row >= start && row < end).toBe(collection === other);
      }),
    );
  });

  it('follow a key exactly when they sort after it', () => {
    fc.assert(
      fc.property(name, name, (id, after) => {
        const { start } = documentRange(collectionName('c'), refOf('c', after).key);
        expect(key('c', id) >= start).toBe(id > after);
      }),
    );
  });

  it('take the longest name and id that clients may send', () => {
    expect(key('日'.repeat(120), '日'.repeat(170)).length).toBeLessThanOrEqual(1978);
  });

  it('are refused when they cannot be stored', () => {
    const kindOf = (run: () => unknown) => {
      try {
        return run();
      } catch (error) {
        return (error as { kind: string }).kind;
      }
    };
    expect(kindOf(() => key('c', 'x'.repeat(2_000)))).toBe('too_large');
    expect(kindOf(() => key('', 'x'))).toBe('invalid');
    expect(kindOf(() => key('a\0b', 'x'))).toBe('invalid');
    expect(kindOf(() => key('c', ''))).toBe('invalid');
    expect(kindOf(() => outcomeRowKey(changeOf('u', 'x'.repeat(2_000))))).toBe('too_large');
  });
});

describe('outcome rows', () => {
  it('are different for different changes', () => {
    const part = fc.string({ unit: 'binary', maxLength: 6 });
    fc.assert(
      fc.property(part, part, part, part, (author, id, otherAuthor, otherId) => {
        const same = author === otherAuthor && id === otherId;
        expect(outcomeRowKey(changeOf(author, id)) === outcomeRowKey(changeOf(otherAuthor, otherId))).toBe(same);
      }),
    );
  });

  it('take the longest author and id that clients may send, in the table by time too', () => {
    const longest = outcomeRowKey(changeOf('日'.repeat(256), '日'.repeat(256)));
    expect(outcomeKeyOfSuperseded(supersededRowKey(1_700_000_000_000, longest))).toBe(longest);
  });
});

describe('log rows', () => {
  it('sort by seq and know it', () => {
    const prefix = lanePrefix(epoch(3), lane(300));
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        expect(logRowKey(prefix, seq(a)) < logRowKey(prefix, seq(b))).toBe(a < b);
        expect(seqOfRow(logRowKey(prefix, seq(a)))).toBe(a);
      }),
    );
  });

  it('lie in the range of their lane only', () => {
    const { start, end } = logRange(lanePrefix(epoch(1), lane(1)), seq(0));
    const inRange = (inEpoch: number, of: number, at: number) => {
      const row = logRowKey(lanePrefix(epoch(inEpoch), lane(of)), seq(at));
      return row >= start && row < end;
    };
    expect([inRange(1, 1, 0), inRange(1, 1, 1), inRange(1, 1, Number.MAX_SAFE_INTEGER)]).toEqual([false, true, true]);
    expect([inRange(1, 0, 5), inRange(1, 2, 5), inRange(1, 257, 5), inRange(2, 1, 5)]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('time rows', () => {
  it('sort by time and know it', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        expect(timeRowKey(a) < timeRowKey(b)).toBe(a < b);
        expect(timeOfRow(timeRowKey(a))).toBe(a);
      }),
    );
  });
});

describe('index rows', () => {
  const prefix = indexPrefix(collectionName('c'), 'path');

  it('of one value are no prefix of another one’s', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), fc.string({ maxLength: 300 }), (a, b) => {
        if (a !== b) expect(indexValuePrefix(prefix, a).startsWith(indexValuePrefix(prefix, b))).toBe(false);
      }),
    );
  });

  it('stay short whatever the value, and tell long values apart', () => {
    const [one, two] = ['a', 'b'].map((end) => indexValuePrefix(prefix, 'x'.repeat(100_000) + end));
    expect(one).not.toBe(two);
    expect(one!.length).toBeLessThan(300);
    const longest = indexValuePrefix(
      indexPrefix(collectionName('日'.repeat(120)), 'p'.repeat(5_000)),
      'v'.repeat(5_000),
    );
    expect(longest.length + 170 * 3).toBeLessThanOrEqual(1978);
  });
});
