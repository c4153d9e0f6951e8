import type { StoredState, WriteBatch } from './records.ts';

/**
 * Where a client keeps its data between two runs. One client at a time writes to a store; several tabs may load it.
 * Proven by `conformance/`.
 */
export interface LocalStore {
  /** Everything that was written, in no particular order. Throws LocalStoreError; `inUse` from a store that others cannot load meanwhile. */
  load(): Promise<StoredState>;
  /**
   * Writes the batch whole or not at all, and resolves when it would survive the end of the process.
   * Calls are made one after the other. Throws LocalStoreError; `full` when there is no room.
   */
  write(batch: WriteBatch): Promise<void>;
  /** Forgets everything. */
  clear(): Promise<void>;
  /** Frees what the store holds. Safe to call twice. */
  close(): Promise<void>;
}

/** `full`: no room. `inUse`: another client that lives has it. `closed`: used after close. `failed`: anything else, with the cause. */
export type LocalStoreErrorCode = 'full' | 'inUse' | 'closed' | 'failed';

/** What a local store throws. The client turns it into ClientError `store_full` and `store_failed`. */
export class LocalStoreError extends Error {
  /** What went wrong. */
  readonly code: LocalStoreErrorCode;

  constructor(code: LocalStoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LocalStoreError';
    this.code = code;
  }
}
