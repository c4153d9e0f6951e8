import { describe, expect, it } from '@jest/globals';
import { BSON, MongoInvalidArgumentError, MongoNetworkError, MongoServerError } from 'mongodb';
import { StoreError } from '../store-error.ts';
import { isTransient, LostRace, translate, translateOwnWrite, translateUserWrite } from './translate-error.ts';

const serverError = (code: number, rest: { message?: string; labels?: string[] } = {}) =>
  new MongoServerError({ code, message: rest.message ?? `code ${code}`, errorLabels: rest.labels ?? [] });
const duplicate = (index: string) =>
  serverError(11000, { message: `E11000 duplicate key error collection: app.notes index: ${index} dup key: { x: 1 }` });
const outOfRange = Object.assign(new RangeError('The value of "offset" is out of range'), { code: 'ERR_OUT_OF_RANGE' });

describe("an error of writing to a user's collection", () => {
  it.each<[string, unknown, string]>([
    ['a unique index', duplicate('email_1'), 'duplicate_key'],
    ['a validator', serverError(121), 'invalid'],
    ['an object too large for the server', serverError(10334), 'too_large'],
    [
      'an object too large for the driver',
      new MongoInvalidArgumentError('Document is larger than the maximum size 16777216'),
      'too_large',
    ],
    ['an object too large for a buffer', outOfRange, 'too_large'],
    ['a value that the driver cannot write', new BSON.BSONError('no'), 'invalid'],
    ['parallel arrays in an index', serverError(171), 'invalid'],
    ['missing rights', serverError(13), 'invalid'],
  ])('is the fault of the change: %s', (_, error, kind) => {
    const translated = translateUserWrite(error, 'notes');
    expect(translated).toMatchObject({
      name: 'StoreError',
      kind,
      message: expect.stringContaining('notes'),
      cause: error,
    });
  });

  it.each([6, 24, 50, 64, 91, 112, 189, 246, 251, 290, 10107, 11600, 13435, 14031])('passes with code %d', (code) => {
    const error = serverError(code);
    expect(translateUserWrite(error, 'notes')).toBe(error);
    expect(translate(error)).toMatchObject({ kind: 'unavailable', cause: error });
  });

  it('is transient when the server says so, whatever its code', () => {
    const error = serverError(11000, { labels: ['TransientTransactionError'] });
    expect(translateUserWrite(error, 'notes')).toBe(error);
    expect(isTransient(error)).toBe(true);
  });

  it('is a lost race when another program has made the document', () => {
    expect(translateUserWrite(duplicate('_id_'), 'notes')).toMatchObject({ name: 'LostRace', collision: true });
  });

  it('is not translated when it is a mistake of ours', () => {
    const mistake = new TypeError('x is not a function');
    expect(translateUserWrite(mistake, 'notes')).toBe(mistake);
    expect(translate(mistake)).toBe(mistake);
  });
});

describe('an error of writing to our own collections', () => {
  it('is a lost race when the row is there already', () => {
    const translated = translateOwnWrite(duplicate('tidemark_change'));
    expect(translated).toBeInstanceOf(LostRace);
    expect(isTransient(translated)).toBe(true);
  });

  it('is never the fault of a change, except for its size', () => {
    for (const error of [outOfRange, serverError(10334), serverError(15)]) {
      expect(translateOwnWrite(error)).toMatchObject({ kind: 'too_large', cause: error });
    }
    for (const error of [serverError(121), serverError(13), new MongoNetworkError('gone')]) {
      expect(translate(translateOwnWrite(error))).toMatchObject({ kind: 'unavailable', cause: error });
    }
  });

  it('stays what it is once it is ours', () => {
    const error = new StoreError('fenced', 'x');
    expect(translate(translateOwnWrite(error))).toBe(error);
  });
});
