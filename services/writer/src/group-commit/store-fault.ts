import type { ErrorCode } from '@tidemark/protocol';
import { StoreError } from '@tidemark/storage';

export interface StoreFault {
  readonly code: ErrorCode;
  /** For a client: says nothing about the data. */
  readonly error: string;
}

/**
 * What a change is told that alone makes a commit fail; undefined when the failure is not of its making.
 * An error that the port does not know is a bug that would fail for ever: it may cost its change, never the lane.
 */
export function faultOfChange(error: unknown): StoreFault | undefined {
  if (!StoreError.is(error)) return { code: 'internal', error: 'a fault of the server; nothing was written' };
  switch (error.kind) {
    case 'duplicate_key':
      return { code: 'duplicate_key', error: 'a unique index of the database refuses the document' };
    case 'too_large':
      return { code: 'too_large', error: 'the change is larger than the database takes' };
    case 'invalid':
      return { code: 'invalid_document', error: 'the database does not take the document' };
    default:
      return undefined;
  }
}

/** Whether the lane must not be served any longer by whoever met the error. */
export function endsService(error: unknown): boolean {
  return StoreError.is(error, 'fenced') || StoreError.is(error, 'stale_epoch');
}
