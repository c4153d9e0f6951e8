import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Change } from './change.ts';
import { documentKey } from './document-id.ts';
import { SyncError } from './errors.ts';
import * as limits from './limits.ts';
import { parseChange, parseCollectionName, statedChangeId } from './parse-change.ts';

const oid = '507f1f77bcf86cd799439011';
const base = { id: 'c1', operation: 'update', collection: 'tasks', documentId: 'd1', data: { title: 'x' } };

function parse(spec: Record<string, unknown> = {}, lenientOperation = false): Change {
  return parseChange({ ...base, ...spec }, { newId: () => 'made', lenientOperation });
}

function faultOf(run: () => unknown): { code: string; message: string } {
  try {
    run();
  } catch (error) {
    if (SyncError.is(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it was accepted');
}

const fault = (spec: Record<string, unknown>) => faultOf(() => parse(spec));

describe('parseChange', () => {
  it('knows no id that a store could not tell from another', () => {
    for (const spec of [{ id: '\ud800' }, { id: undefined, patchId: 'a\udfff' }])
      expect(fault(spec).code).toBe('invalid_message');
    expect(parse({ id: '🌊' }).id).toBe('🌊');
  });

  it('gives everything one name', () => {
    expect(parse()).toEqual({
      id: 'c1',
      operation: 'update',
      collection: 'tasks',
      documentId: 'd1',
      key: 'd1',
      data: { title: 'x' },
      unset: [],
      timestamp: undefined,
      version: undefined,
    });
  });

  it('takes the older names, and prefers the newer ones', () => {
    expect(parse({ collection: undefined, collectionName: 'notes' }).collection).toBe('notes');
    expect(parse({ collection: null, collectionName: 'notes' }).collection).toBe('notes');
    expect(parse({ collectionName: 'notes' }).collection).toBe('tasks');
    expect(parse({ id: undefined, patchId: 'p1' }).id).toBe('p1');
    expect(parse({ id: null, patchId: 'p1' }).id).toBe('p1');
    expect(parse({ patchId: 'p1' }).id).toBe('c1');
  });

  it('makes an id where there is none', () => {
    expect(parse({ id: undefined }).id).toBe('made');
    expect(parse({ id: null, patchId: null }).id).toBe('made');
  });

  it('ignores what it does not know, the stated author first', () => {
    expect(parse({ userId: 'eve', source: 'tests', deviceId: 7 })).toEqual(parse());
  });

  it.each([null, undefined, 'text', 7, [], [base]])('is not made of %p', (input) => {
    const error = faultOf(() => parseChange(input, { newId: () => 'made', lenientOperation: false }));
    expect(error.code).toBe('invalid_message');
  });

  it('never throws anything but its own errors', () => {
    const anything = fc.oneof(
      fc.anything({ withNullPrototype: true, withDate: true, withBigInt: true }),
      fc.constant({ length: { toString: 1, valueOf: 1 } }),
    );
    const spec = fc.dictionary(
      fc.constantFrom(...Object.keys(base), 'unset', 'timestamp', 'version', 'patchId'),
      anything,
    );
    fc.assert(
      fc.property(spec, fc.boolean(), (value, lenient) => {
        try {
          expect(parse(value, lenient).key).not.toBe('');
        } catch (error) {
          expect(SyncError.is(error)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  describe('operation', () => {
    it.each(['insert', 'update', 'delete'])('%s is itself', (operation) => {
      expect(parse({ operation }).operation).toBe(operation);
    });

    it('upsert means update, everywhere', () => {
      expect(parse({ operation: 'upsert' }).operation).toBe('update');
    });

    it('another word means update in a batch, and nothing elsewhere', () => {
      expect(parse({ operation: 'patch' }, true).operation).toBe('update');
      expect(fault({ operation: 'patch' })).toMatchObject({
        code: 'invalid_message',
        message: expect.stringContaining('"patch"'),
      });
    });

    it.each([undefined, null, 7, {}])('%p is no word, not even in a batch', (operation) => {
      expect(faultOf(() => parse({ operation }, true)).code).toBe('invalid_message');
    });
  });

  describe('collection', () => {
    it.each(['tasks', 'a.b', 'Tasks', 'größe', 'x'.repeat(limits.collectionName), 'tidemark', '_sync', 'my_sync_x'])(
      '%s is a name',
      (name) => {
        expect(parseCollectionName(name)).toBe(name);
      },
    );

    it.each(['tidemark_log', '_sync_state', 'system.users'])('%s is reserved', (name) => {
      expect(faultOf(() => parseCollectionName(name))).toMatchObject({ code: 'forbidden' });
    });

    it.each(['$cmd', 'a$b', 'a\u0000b', '.a', 'a.', '\ud800', 'x'.repeat(limits.collectionName + 1)])(
      '%j cannot be one',
      (name) => {
        expect(faultOf(() => parseCollectionName(name)).code).toBe('invalid_message');
      },
    );

    it.each([undefined, null, ''])('%p is missing, in the words that old clients know', (name) => {
      expect(fault({ collection: name })).toEqual({
        code: 'invalid_message',
        message: 'Missing collection or documentId',
      });
    });
  });

  describe('documentId', () => {
    it('may be typed, and stays a text where it is one', () => {
      expect(parse({ documentId: { $oid: oid.toUpperCase() } })).toMatchObject({
        documentId: { $oid: oid },
        key: documentKey({ $oid: oid }),
      });
      expect(parse({ documentId: oid })).toMatchObject({ documentId: oid, key: oid });
    });

    it.each([undefined, null, ''])('%p is missing, in the words that old clients know', (documentId) => {
      expect(fault({ documentId })).toEqual({ code: 'invalid_message', message: 'Missing collection or documentId' });
    });

    it.each([7, true, [], {}, { $gt: '' }, { $oid: 'short' }, 'a\u0000', 'x'.repeat(513)])(
      '%j is refused',
      (documentId) => {
        const error = fault({ documentId });
        expect(error.code).toBe('invalid_message');
        expect(error.message).toMatch(/^documentId must be/);
      },
    );
  });

  describe('data', () => {
    it('loses the metadata', () => {
      const data = { _id: 'd1', sync_updated_at: 5, _updated_by: 'eve', sync_version: 99, title: 'x' };
      expect(parse({ data }).data).toEqual({ title: 'x' });
    });

    it('may be missing, and is empty for a delete whatever it holds', () => {
      expect(parse({ data: undefined }).data).toEqual({});
      expect(parse({ data: null }).data).toEqual({});
      expect(parse({ operation: 'delete', data: { $set: 1 } }).data).toEqual({});
    });

    it.each([7, 'text', [1], true])('%p is no document', (data) => {
      expect(fault({ data })).toEqual({ code: 'invalid_document', message: 'data must be an object' });
    });

    it('may repeat the id, and not differ from it', () => {
      expect(parse({ data: { _id: 'd1' } }).data).toEqual({});
      expect(parse({ documentId: { $oid: oid }, data: { _id: { $oid: oid.toUpperCase() } } }).data).toEqual({});
      for (const _id of ['d2', { $oid: oid }, { $gt: '' }, null, 7]) {
        expect(fault({ data: { _id } })).toMatchObject({ code: 'invalid_document' });
      }
      expect(fault({ documentId: oid, data: { _id: { $oid: oid } } }).code).toBe('invalid_document');
    });

    it.each([{ $set: { a: 1 } }, { 'a.b': 1 }, { a: { $gt: 1 } }, { _sync_x: 1 }, { a: '\ud800' }])(
      '%j cannot be a document',
      (data) => {
        expect(fault({ data }).code).toBe('invalid_document');
      },
    );
  });

  describe('unset', () => {
    it('names the fields of an update, each once, without the metadata', () => {
      expect(parse({ unset: ['a', 'b', 'a', '_id', 'sync_version'] }).unset).toEqual(['a', 'b']);
      expect(parse({ unset: null }).unset).toEqual([]);
    });

    it('means nothing for what replaces or removes the whole', () => {
      for (const operation of ['insert', 'delete']) expect(parse({ operation, unset: ['a'] }).unset).toEqual([]);
    });

    it.each(['a.b', '$a', '', '_sync_x', '__proto__'])('cannot name %j', (name) => {
      expect(fault({ unset: [name] })).toMatchObject({
        code: 'invalid_document',
        message: expect.stringMatching(/^unset: /),
      });
    });

    it('cannot name what is set', () => {
      expect(fault({ unset: ['title'] })).toEqual({
        code: 'invalid_document',
        message: 'the field "title" is both in data and in unset',
      });
    });

    it('is bounded', () => {
      const names = Array.from({ length: limits.unsetFields + 1 }, (_, index) => `f${index}`);
      expect(parse({ unset: names.slice(1) }).unset).toHaveLength(limits.unsetFields);
      expect(fault({ unset: names }).code).toBe('invalid_message');
    });
  });

  describe('timestamp', () => {
    it('is the one of the change, else the one in the data, else left to the server', () => {
      expect(parse({ timestamp: 5, data: { sync_updated_at: 7 } }).timestamp).toBe(5);
      expect(parse({ data: { sync_updated_at: 7 } }).timestamp).toBe(7);
      expect(parse({ operation: 'delete', data: { sync_updated_at: 7 } }).timestamp).toBe(7);
      expect(parse({ timestamp: null }).timestamp).toBeUndefined();
      expect(parse({ timestamp: 0 }).timestamp).toBe(0);
    });

    it('is whole', () => {
      expect(parse({ timestamp: 1.9 }).timestamp).toBe(1);
      expect(parse({ data: { sync_updated_at: 1.9 } }).timestamp).toBe(1);
    });

    it.each([-1, 'now', Number.NaN, 8.7e15])('%p is refused in the change', (timestamp) => {
      expect(fault({ timestamp })).toMatchObject({
        code: 'invalid_message',
        message: expect.stringContaining('timestamp'),
      });
    });

    it.each([-1, 'now', null, { $date: 0 }])('%p is passed over in the data', (value) => {
      expect(parse({ data: { sync_updated_at: value } }).timestamp).toBeUndefined();
    });
  });

  describe('version', () => {
    it('is kept, 0 too', () => {
      expect(parse({ version: 0 }).version).toBe(0);
      expect(parse({ version: 7 }).version).toBe(7);
      expect(parse({ version: null }).version).toBeUndefined();
    });

    it.each([-1, 1.5, '1'])('%p is refused', (version) => {
      expect(fault({ version }).code).toBe('invalid_message');
    });
  });

  it.each([
    ['id', ''],
    ['id', 'x'.repeat(257)],
    ['id', 7],
    ['patchId', {}],
    ['collection', 7],
    ['unset', 'title'],
    ['unset', [7]],
  ])('names the field that is wrong: %s', (name, value) => {
    expect(fault({ [name]: value })).toMatchObject({
      code: 'invalid_message',
      message: expect.stringMatching(new RegExp(`^not a change: ${name}`)),
    });
  });
});

describe('statedChangeId', () => {
  it('finds the id in what cannot be parsed otherwise', () => {
    expect(statedChangeId({ id: 'c1' })).toBe('c1');
    expect(statedChangeId({ patchId: 'p1', operation: 7 })).toBe('p1');
    expect(statedChangeId({ id: null, patchId: 'p1' })).toBe('p1');
  });

  it.each([undefined, null, 'c1', [], {}, { id: 7 }, { id: '' }, { id: 'x'.repeat(257) }])(
    'finds none in %j',
    (input) => {
      expect(statedChangeId(input)).toBeUndefined();
    },
  );
});
