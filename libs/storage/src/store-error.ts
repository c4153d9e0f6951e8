import type { Lane } from '@tidemark/protocol';

/**
 * `unavailable`: transient, the same call may succeed later.
 * `fenced`: a later lease has committed on the lane; the caller must stop serving it.
 * `trimmed`: the log asked for is no longer there.
 * `duplicate_key`, `too_large`, `invalid`: deterministic, caused by one of the changes; the same plan fails again.
 * `stale_epoch`: the lane layout has changed; reopen.
 */
export type StoreErrorKind =
  | 'unavailable'
  | 'fenced'
  | 'trimmed'
  | 'duplicate_key'
  | 'too_large'
  | 'invalid'
  | 'stale_epoch';

/** The only error that leaves an adapter. The driver's own error is the `cause`. */
export class StoreError extends Error {
  readonly kind: StoreErrorKind;
  /** Of `fenced`: the lane that belongs to somebody else, and the token that has committed there. */
  readonly lane: Lane | undefined;
  readonly token: number | undefined;

  constructor(kind: StoreErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StoreError';
    this.kind = kind;
    this.lane = undefined;
    this.token = undefined;
  }

  static fenced(lane: Lane, token: number): StoreError {
    return Object.assign(new StoreError('fenced', `a later lease has committed on lane ${lane}`), { lane, token });
  }

  static is(error: unknown, kind?: StoreErrorKind): error is StoreError {
    return error instanceof StoreError && (kind === undefined || error.kind === kind);
  }
}
