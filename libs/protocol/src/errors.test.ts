import { describe, expect, it } from '@jest/globals';
import { type ErrorCode, errorCatalogue, errorCodes, SyncError } from './errors.ts';

describe('the error catalogue', () => {
  it('holds the codes of the wire contract and no others', () => {
    expect([...errorCodes].sort()).toEqual(
      [
        'unauthenticated',
        'forbidden',
        'token_expired',
        'too_many_connections',
        'invalid_message',
        'invalid_query',
        'invalid_document',
        'too_large',
        'rate_limited',
        'overloaded',
        'unavailable',
        'conflict',
        'duplicate_key',
        'schema_violation',
        'atomic_aborted',
        'reset_required',
        'unsupported_protocol',
        'internal',
      ].sort(),
    );
  });

  it.each(errorCodes.map((code) => [code, errorCatalogue[code]] as const))('says all about %s', (_, definition) => {
    expect(definition.cause).toMatch(/^[A-Z].*\.$/);
    expect(definition.cure).toMatch(/^[A-Z].*\.$/);
    expect(definition.httpStatus).toBeGreaterThanOrEqual(400);
    expect(definition.httpStatus).toBeLessThan(600);
  });

  it('blames the server for every status of five hundred, and for no other', () => {
    for (const code of errorCodes) {
      const { fault, httpStatus } = errorCatalogue[code];
      expect([code, httpStatus >= 500]).toEqual([code, fault === 'server' || fault === 'operator']);
    }
  });

  it('gives the statuses that the contract names', () => {
    const statuses = Object.fromEntries(errorCodes.map((code) => [code, errorCatalogue[code].httpStatus]));
    expect(statuses).toMatchObject({
      unauthenticated: 401,
      forbidden: 403,
      conflict: 409,
      too_large: 413,
      rate_limited: 429,
      overloaded: 503,
      unavailable: 503,
    } satisfies Partial<Record<ErrorCode, number>>);
  });
});

describe('SyncError', () => {
  it('is an error with a code', () => {
    const cause = new Error('the driver says');
    const error = new SyncError('unavailable', 'the store is away', { retryAfterMs: 500, cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ code: 'unavailable', message: 'the store is away', retryAfterMs: 500, cause });
    expect(String(error)).toBe('SyncError: the store is away');
  });

  it('says nothing of what it does not know', () => {
    const error = new SyncError('conflict', 'newer');
    expect(error.retryAfterMs).toBeUndefined();
    expect('cause' in error).toBe(false);
  });

  it('is known again', () => {
    expect(SyncError.is(new SyncError('internal', 'x'))).toBe(true);
    for (const other of [new Error('internal'), { code: 'internal' }, null, undefined, 'internal'])
      expect(SyncError.is(other)).toBe(false);
  });
});
