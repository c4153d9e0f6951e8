import type { ErrorCode } from '@tidemark/protocol/core';

/** Codes of the server's catalogue, and those that only a client has. */
export type ClientErrorCode =
  | ErrorCode
  /** The client was closed. */
  | 'closed'
  /** The outbox is full: too many writes wait for the server. */
  | 'outbox_full'
  /** The local store has no room. */
  | 'store_full'
  /** Another process, or another client of this one, has the local store open. */
  | 'store_in_use'
  /** The local store failed. */
  | 'store_failed'
  /** Another subscription took the name. */
  | 'superseded'
  /** The local store holds another user's data. */
  | 'wrong_user'
  /** What was waited for did not come in time. */
  | 'timeout';

/** Thrown by the client's methods. `code` is for programs, `message` is a sentence for a person, `cause` is what lay below. */
export class ClientError extends Error {
  /** Of the server's catalogue (docs/errors.md), or one that only a client has. */
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ClientError';
    this.code = code;
  }
}
