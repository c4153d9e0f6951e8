import type { Change, Millis, Version } from '@tidemark/protocol';
import type { StoredState } from '@tidemark/storage';
import type { DecideContext } from './decision.ts';

/** The version that an incoming change has to beat; undefined for what was never written through Tidemark. */
export function versionOf(stored: StoredState | undefined): Version | undefined {
  if (stored === undefined) return undefined;
  if (stored.kind === 'tombstone') return { timestamp: stored.timestamp, author: stored.author };
  // A user's own document may hold anything under our names.
  const { sync_updated_at: timestamp, _updated_by: author } = stored.document;
  if (typeof timestamp !== 'number') return undefined;
  return { timestamp, author: typeof author === 'string' ? author : undefined };
}

/**
 * The timestamp that a change competes with: its own, at most `maxClockSkewMs` ahead of the server's clock;
 * without one the server's, but later than the stored version, so that it wins.
 */
export function timestampOf(change: Change, stored: Version | undefined, context: DecideContext): Millis {
  const { now, maxClockSkewMs } = context;
  if (change.timestamp === undefined) return stored === undefined ? now : Math.max(now, stored.timestamp + 1);
  return Math.min(change.timestamp, now + maxClockSkewMs);
}
