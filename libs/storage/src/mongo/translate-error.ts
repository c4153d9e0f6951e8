import { BSON, MongoError, MongoInvalidArgumentError, MongoServerError } from 'mongodb';
import { StoreError } from '../store-error.ts';

/** Another one committed in between: the transaction is tried again. */
export class LostRace extends Error {
  /** An insert met a row that the snapshot did not show. */
  readonly collision: boolean;

  constructor(message: string, options: { readonly collision: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'LostRace';
    this.collision = options.collision;
  }
}

/** Codes of the server, by the names that its source gives them. */
const codes = {
  duplicateKey: new Set([11000, 11001, 12582]),
  /** DocumentValidationFailure */
  validation: 121,
  /**
   * BSONObjectTooLarge and what updates, indexes and transactions answer in its place; and Overflow, of what is nested too
   * deeply: a user's own document may just fit, and its image in the log not.
   */
  tooLarge: new Set([15, 10334, 17280, 17419, 17420, 17322, 257]),
  /**
   * What may pass: HostUnreachable, HostNotFound, LockTimeout, LockBusy, MaxTimeMSExpired, WriteConcernFailed,
   * NetworkTimeout, ShutdownInProgress, UnsatisfiableWriteConcern, PrimarySteppedDown, WriteConflict, ExceededTimeLimit,
   * SnapshotTooOld, SnapshotUnavailable, NoSuchTransaction, ReadConcernMajorityNotAvailableYet,
   * TransactionExceededLifetimeLimitSeconds, TransactionTooLargeForCache, AtlasError, NotWritablePrimary and its
   * relatives, OutOfDiskSpace; and AuthenticationFailed, which an operator cures without the change being at fault.
   */
  passing: new Set([
    6, 7, 18, 24, 46, 50, 64, 89, 91, 100, 112, 134, 189, 202, 239, 246, 251, 262, 290, 388, 8000, 9001, 10058, 10107,
    11600, 11602, 13435, 13436, 14031,
  ]),
};

const transient = 'TransientTransactionError';
const unknownCommit = 'UnknownTransactionCommitResult';

export function isTransient(error: unknown): boolean {
  return error instanceof LostRace || (error instanceof MongoError && error.hasErrorLabel(transient));
}

export function isUnknownCommit(error: unknown): boolean {
  return error instanceof MongoError && error.hasErrorLabel(unknownCommit);
}

/**
 * The error of a call that concerned only our own collections, or a read: nothing that a change could be blamed for.
 * What is no error of the driver comes back as it is.
 */
export function translate(error: unknown): unknown {
  if (error instanceof LostRace)
    return new StoreError('unavailable', 'other writers were faster, time after time', error);
  if (error instanceof MongoError) return new StoreError('unavailable', `MongoDB: ${error.message}`, error);
  return error;
}

/**
 * The error of a write to our own collections. An insert that met its like lost a race: whoever came first is found when
 * it is tried again. An entry can be too large for its row.
 */
export function translateOwnWrite(error: unknown): unknown {
  if (isTransient(error)) return error;
  if (isTooLarge(error))
    return new StoreError('too_large', 'the images of a change are too large for its log entry', error);
  if (error instanceof BSON.BSONError) return new StoreError('invalid', `the log: ${error.message}`, error);
  if (!isDuplicateKey(error)) return error;
  return new LostRace('the same change has been committed meanwhile', { collision: true, cause: error });
}

/** The error of a write to a user's collection: a change may be to blame. */
export function translateUserWrite(error: unknown, collection: string): unknown {
  if (isTransient(error)) return error;
  if (isTooLarge(error))
    return new StoreError('too_large', `${collection}: a document is too large for MongoDB`, error);
  if (error instanceof BSON.BSONError) return new StoreError('invalid', `${collection}: ${error.message}`, error);
  if (!(error instanceof MongoServerError)) return error;
  if (isDuplicateKey(error)) return translateDuplicate(error, collection);
  if (codes.passing.has(Number(error.code)) || error.hasErrorLabel('RetryableWriteError')) return error;
  if (error.code === codes.validation)
    return new StoreError('invalid', `${collection}: its validator refuses the document`, error);
  return new StoreError('invalid', `${collection}: MongoDB refuses the write (${error.codeName ?? error.code})`, error);
}

function translateDuplicate(error: MongoServerError, collection: string): Error {
  const index = indexOf(error);
  if (index !== '_id_')
    return new StoreError(
      'duplicate_key',
      `${collection}: the unique index ${index} holds such a value already`,
      error,
    );
  return new LostRace(`${collection}: a document came into being meanwhile`, { collision: true, cause: error });
}

/** The name of the index that a duplicate key violated: only the message tells it. */
function indexOf(error: MongoServerError): string {
  return / index: (\S+)/.exec(error.message)?.[1] ?? 'of the collection';
}

function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && codes.duplicateKey.has(Number(error.code));
}

/** The driver itself refuses what exceeds its buffers, each of its parts in its own way. */
export function isTooLarge(error: unknown): boolean {
  if (error instanceof MongoServerError) return codes.tooLarge.has(Number(error.code));
  if (error instanceof MongoInvalidArgumentError) return error.message.includes('larger than the maximum size');
  return error instanceof RangeError && (error as NodeJS.ErrnoException).code === 'ERR_OUT_OF_RANGE';
}
