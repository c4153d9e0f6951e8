import { describe, expect, it } from '@jest/globals';
import type { Document } from '@tidemark/protocol/core';
import fc from 'fast-check';
import { comparatorOf } from './sort.ts';

const doc = (_id: string, fields: Record<string, unknown> = {}) => ({ _id, ...fields }) as unknown as Document;
const order = (documents: Document[], ...fields: [string, 'asc' | 'desc'][]) =>
  documents.sort(comparatorOf(fields.map(([path, direction]) => ({ path, direction })))).map(({ _id }) => _id);

describe('comparatorOf', () => {
  it('orders kinds: nothing, booleans, numbers, dates, strings, the rest', () => {
    const values: [string, unknown][] = [
      ['rest', ['x']],
      ['text', 'a'],
      ['late', { $date: '2026-01-01T00:00:00Z' }],
      ['early', { $date: { $numberLong: '5' } }],
      ['ten', { $numberLong: '10' }],
      ['two', 2],
      ['dec', { $numberDecimal: '2.5' }],
      ['yes', true],
      ['no', false],
      ['null', null],
    ];
    const documents = values.map(([id, v]) => doc(id, { v }));
    expect(order([...documents, doc('missing')], ['v', 'asc'])).toEqual([
      'missing',
      'null',
      'no',
      'yes',
      'two',
      'dec',
      'ten',
      'early',
      'late',
      'text',
      'rest',
    ]);
  });

  it('goes down as well, by several fields, into embedded documents, and by id in the end', () => {
    const documents = [
      doc('a', { p: { q: 1 }, n: 1 }),
      doc('b', { p: { q: 2 }, n: 1 }),
      doc('d', { p: { q: 2 }, n: 2 }),
      doc('c', { p: { q: 2 }, n: 2 }),
    ];
    expect(order(documents, ['p.q', 'desc'], ['n', 'asc'])).toEqual(['b', 'c', 'd', 'a']);
  });

  it('reads own fields only', () => {
    expect(order([doc('b', { constructor: 'x' }), doc('a')], ['constructor', 'asc'])).toEqual(['a', 'b']);
  });

  it('is a total order', () => {
    const value = fc.oneof(
      fc.integer({ min: -2, max: 2 }),
      fc.constantFrom('a', 'b', null, true, false, undefined),
      fc.constant({ $date: 5 }),
    );
    const document = fc.tuple(fc.constantFrom('x', 'y', 'z'), value).map(([id, v]) => doc(id, { v }));
    const compare = comparatorOf([{ path: 'v', direction: 'asc' }]);
    fc.assert(
      fc.property(document, document, document, (a, b, c) => {
        expect(Math.sign(compare(a, b)) + Math.sign(compare(b, a))).toBe(0);
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
