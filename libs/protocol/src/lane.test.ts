import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { documentKey } from './document-id.ts';
import { brandAs, type CollectionName, type DocumentKey } from './ids.ts';
import { laneOf } from './lane.ts';

const collection = (name: string) => brandAs<CollectionName>(name);
const key = (text: string) => brandAs<DocumentKey>(text);

/** FNV-1a over bytes, as its authors write it. */
function fnv1a(bytes: readonly number[]): number {
  let hash = 2_166_136_261n;
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 16_777_619n) % 2n ** 32n;
  return Number(hash);
}

function units(text: string): number[] {
  return [...Buffer.from(text, 'utf16le')];
}

describe('laneOf', () => {
  /** Where documents lie in stores that exist. If this fails, documents would change lanes: that needs a new epoch. */
  it.each([
    ['tasks', 'a', 8, 0],
    ['tasks', 'b', 8, 3],
    ['tasks', '', 8, 1],
    ['notes', 'a', 8, 3],
    ['tasks', '507f1f77bcf86cd799439011', 8, 5],
    ['tasks', documentKey({ $oid: '507f1f77bcf86cd799439011' }), 8, 2],
    ['größe', '👍', 7, 1],
    ['tasks', 'a', 256, 200],
    ['tasks', 'b', 1000, 963],
  ])('puts %j / %j where it has always been, of %d lanes: %d', (name, text, lanes, lane) => {
    expect(laneOf(collection(name), key(text), lanes)).toBe(lane);
  });

  it('is FNV-1a over collection, one zero byte and key', () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 });
    fc.assert(
      fc.property(text, text, fc.integer({ min: 2, max: 1024 }), (name, id, lanes) => {
        expect(laneOf(collection(name), key(id), lanes)).toBe(fnv1a([...units(name), 0, ...units(id)]) % lanes);
      }),
    );
  });

  it('has one lane when there is one', () => {
    expect(laneOf(collection('any'), key('thing'), 1)).toBe(0);
  });

  it.each([
    ['numbers', (index: number) => String(index)],
    [
      'UUIDs that differ in few digits',
      (index: number) => `0b52ad5c-9d0f-4d43-8f13-${String(index).padStart(12, '0')}`,
    ],
    ['object ids', (index: number) => documentKey({ $oid: index.toString(16).padStart(24, '0') })],
  ])('spreads %s over the lanes', (_, idOf) => {
    for (const lanes of [2, 8, 13]) {
      const counts = new Array<number>(lanes).fill(0);
      for (let index = 0; index < 8_000; index++) counts[laneOf(collection('tasks'), key(idOf(index)), lanes)]!++;
      const fair = 8_000 / lanes;
      for (const count of counts) expect(Math.abs(count - fair) / fair).toBeLessThan(0.25);
    }
  });
});
