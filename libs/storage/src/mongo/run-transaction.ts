import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientSession, MongoClient } from 'mongodb';
import { StoreError } from '../store-error.ts';
import { durable } from './database.ts';
import { isTransient, isUnknownCommit, LostRace, translate } from './translate-error.ts';

export interface RetryPolicy {
  /** No new attempt begins after so many ms. */
  readonly retryForMs: number;
  /** The pause before the second attempt; it doubles up to `maxPauseMs`, and is shortened at random. */
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
}

export const defaultRetryPolicy: RetryPolicy = { retryForMs: 8_000, firstPauseMs: 4, maxPauseMs: 500 };

/** How often an insert may meet a row that no snapshot shows before the change is to blame. */
const maxCollisions = 3;

/**
 * Runs `body` in a transaction that reads one snapshot and commits with majority. Whatever is transient is tried again,
 * `body` included, within the policy's time; then it is StoreError `unavailable`. A commit whose result stays unknown is
 * `unavailable` too: it may have happened, and whoever tries again finds it in the log.
 * Errors that are not the driver's leave as they are, after a rollback.
 */
export function runTransaction<T>(
  client: MongoClient,
  body: (session: ClientSession) => Promise<T>,
  policy: RetryPolicy = defaultRetryPolicy,
): Promise<T> {
  const pause = pauses(policy);
  let collisions = 0;
  return client.withSession(async (session) => {
    for (;;) {
      try {
        return await attempt(session, body, { pause, reads: true });
      } catch (error) {
        if (error instanceof LostRace && error.collision) collisions += 1;
        if (collisions >= maxCollisions) throw new StoreError('duplicate_key', (error as Error).message, error);
        if (!isTransient(error) || !(await pause())) throw translate(error);
      }
    }
  });
}

/** Waits longer each time; false, at once, when the time is up. */
function pauses(policy: RetryPolicy): () => Promise<boolean> {
  const end = performance.now() + policy.retryForMs;
  let longest = policy.firstPauseMs;
  return async () => {
    if (performance.now() >= end) return false;
    await sleep(longest * (0.5 + Math.random() / 2));
    longest = Math.min(longest * 2, policy.maxPauseMs);
    return true;
  };
}

/**
 * As `runTransaction`, but only once: what is transient leaves as the driver threw it. A commit whose result is unknown is
 * asked for again. A body that writes without reading needs no snapshot; its writes say themselves what they must meet.
 */
export function tryTransaction<T>(
  client: MongoClient,
  body: (session: ClientSession) => Promise<T>,
  { reads }: { readonly reads: boolean },
): Promise<T> {
  return client.withSession((session) => attempt(session, body, { pause: pauses(defaultRetryPolicy), reads }));
}

interface Attempt {
  readonly pause: () => Promise<boolean>;
  readonly reads: boolean;
}

async function attempt<T>(
  session: ClientSession,
  body: (session: ClientSession) => Promise<T>,
  { pause, reads }: Attempt,
): Promise<T> {
  session.startTransaction({
    ...(reads && { readConcern: { level: 'snapshot' } }),
    writeConcern: durable,
    readPreference: 'primary',
  });
  try {
    const result = await body(session);
    await commit(session, pause);
    return result;
  } finally {
    if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
  }
}

async function commit(session: ClientSession, pause: () => Promise<boolean>): Promise<void> {
  for (;;) {
    try {
      return await session.commitTransaction();
    } catch (error) {
      // Committing again is safe: the server knows the transaction by its number.
      if (!isUnknownCommit(error) || !(await pause())) throw error;
    }
  }
}
