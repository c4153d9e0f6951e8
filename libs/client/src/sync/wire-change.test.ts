import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jsonBytes, wireChange } from './wire-change.ts';

const write = {
  id: 'c',
  operation: 'update',
  collection: 'tasks',
  documentId: 'a',
  data: { n: 1 },
  unset: [],
  timestamp: 5,
} as const;

describe('wireChange', () => {
  it('leaves out what a change does not need', () => {
    expect(wireChange(write)).toEqual({
      id: 'c',
      operation: 'update',
      collection: 'tasks',
      documentId: 'a',
      data: { n: 1 },
      timestamp: 5,
    });
    expect(JSON.parse(JSON.stringify(wireChange({ ...write, operation: 'delete' })))).not.toHaveProperty('data');
    expect(wireChange({ ...write, unset: ['x'] })).toMatchObject({ unset: ['x'] });
  });
});

describe('jsonBytes', () => {
  it('counts as UTF-8 does', () => {
    fc.assert(
      fc.property(fc.json(), fc.string({ unit: 'binary' }), (json, text) => {
        const value = { json: JSON.parse(json), text };
        expect(jsonBytes(value)).toBe(Buffer.byteLength(JSON.stringify(value)));
      }),
    );
  });
});
