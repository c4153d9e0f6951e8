import type { Document } from './document.ts';
import type { ErrorCode } from './errors.ts';
import type { ChangeId, Lane, Millis, Seq } from './ids.ts';

export type OutcomeKind = 'applied' | 'superseded' | 'duplicate' | 'rejected';

/** What became of a change. `timestamp` is the server's: of the stored version when applied, of the decision else. */
export type Outcome =
  | {
      readonly kind: 'applied';
      readonly changeId: ChangeId;
      readonly timestamp: Millis;
      readonly lane: Lane;
      readonly seq: Seq;
    }
  | {
      readonly kind: 'superseded';
      readonly changeId: ChangeId;
      readonly timestamp: Millis;
      readonly current: Document | null | undefined;
    }
  | {
      readonly kind: 'duplicate';
      readonly changeId: ChangeId;
      readonly timestamp: Millis;
      /** What the first one became. */
      readonly first: 'applied' | 'superseded';
      readonly lane?: Lane;
      readonly seq?: Seq;
      /** Today's document, for a duplicate of a superseded change. */
      readonly current?: Document | null | undefined;
    }
  | {
      readonly kind: 'rejected';
      readonly changeId: ChangeId;
      readonly timestamp: Millis;
      readonly code: ErrorCode;
      readonly error: string;
      readonly retryAfterMs?: number;
    };

/** The document in `current` is undefined when the author may not read it, null when it is deleted. */
export type CurrentDocument = Document | null | undefined;
