import type {
  Change,
  CurrentDocument,
  Entry,
  Epoch,
  ErrorCode,
  Lane,
  Millis,
  Seq,
  WriteRequest,
} from '@tidemark/protocol';
import type { StoredState } from '@tidemark/storage';
import type { WriteRules } from './write-rules.ts';

/** One change, where it would stand in history if it is applied, and what it meets there. */
export interface Attempt {
  readonly request: WriteRequest;
  readonly change: Change;
  readonly lane: Lane;
  readonly seq: Seq;
  readonly stored: StoredState | undefined;
}

/** The same for every change of a transaction. */
export interface DecideContext {
  readonly now: Millis;
  readonly epoch: Epoch;
  readonly optimisticLocking: boolean;
  readonly maxClockSkewMs: Millis;
  readonly rules: WriteRules;
}

export interface AppliedDecision {
  readonly kind: 'applied';
  readonly entry: Entry;
  readonly state: StoredState;
}

export interface SupersededDecision {
  readonly kind: 'superseded';
  /** Undefined when the author may not read it, null when there is none (any more). */
  readonly current: CurrentDocument;
}

export interface RejectedDecision {
  readonly kind: 'rejected';
  readonly code: ErrorCode;
  readonly error: string;
}

export type Decision = AppliedDecision | SupersededDecision | RejectedDecision;
