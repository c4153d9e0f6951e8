import {
  type AckMessage,
  type ChangeId,
  type CurrentDocument,
  type Millis,
  type Outcome,
  SyncError,
} from '@tidemark/protocol';
import type { SubmissionResult } from '../write/changes.ts';
import { retryOf } from './door.ts';

const conflictText = 'conflict: the stored version is newer';

/** The answer to one change, from its outcome. */
export function ackOf(outcome: Outcome): AckMessage {
  const { changeId, timestamp, kind } = outcome;
  switch (kind) {
    case 'applied':
      return { changeId, success: true, timestamp, outcome: 'applied', lane: outcome.lane, seq: outcome.seq };
    case 'superseded':
      return {
        changeId,
        success: false,
        timestamp,
        outcome: 'superseded',
        code: 'conflict',
        error: conflictText,
        ...currentOf(outcome.current),
      };
    case 'duplicate':
      if (outcome.first === 'superseded') {
        return {
          changeId,
          success: false,
          timestamp,
          outcome: 'duplicate',
          code: 'conflict',
          error: conflictText,
          ...currentOf(outcome.current),
        };
      }
      return {
        changeId,
        success: true,
        timestamp,
        outcome: 'duplicate',
        ...(outcome.lane !== undefined && { lane: outcome.lane }),
        ...(outcome.seq !== undefined && { seq: outcome.seq }),
      };
    case 'rejected': {
      const { code, error, retryAfterMs } = outcome;
      return {
        changeId,
        success: false,
        timestamp,
        outcome: 'rejected',
        code,
        error,
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      };
    }
  }
}

/** The answer to a change that never reached a writer, or was not decided. */
export function rejectedAck(changeId: ChangeId, error: SyncError, now: Millis): AckMessage {
  return {
    changeId,
    success: false,
    timestamp: now,
    outcome: 'rejected',
    code: error.code,
    error: error.message,
    ...retryOf(error),
  };
}

export function resultAck(changeId: ChangeId, result: SubmissionResult, now: Millis): AckMessage {
  return result instanceof Error ? rejectedAck(changeId, asSyncError(result), now) : ackOf(result);
}

export function asSyncError(error: unknown): SyncError {
  if (SyncError.is(error)) return error;
  return new SyncError('internal', 'the server failed; the log has the cause', { cause: error });
}

/** The error that an unsuccessful ack stands for. */
export function ackFailure(ack: AckMessage): SyncError | undefined {
  if (ack.success) return undefined;
  const details = ack.retryAfterMs === undefined ? {} : { retryAfterMs: ack.retryAfterMs };
  return new SyncError((ack.code ?? 'internal') as SyncError['code'], ack.error ?? 'refused', details);
}

function currentOf(current: CurrentDocument): { current?: Record<string, unknown> | null } {
  return current === undefined ? {} : { current };
}
