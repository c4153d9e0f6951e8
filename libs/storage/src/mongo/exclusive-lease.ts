import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Collection, MongoServerError } from 'mongodb';
import { StoreError } from '../store-error.ts';
import type { HistoryRow, LeaseRow } from './database.ts';

export interface LeaseOptions {
  /** Names this server in the refusal that another one reads: host and process, for instance. */
  readonly holder: string;
  /** A server that died is replaced after so many ms. Renewed three times within it. */
  readonly ttlMs: number;
  /** Called once when another server has taken the lease over, for instance after a long pause of this one. */
  readonly onLost: () => void;
}

export interface ExclusiveLease {
  /** Gives the lease back. Safe to call twice. */
  release(): Promise<void>;
}

type Meta = Collection<HistoryRow | LeaseRow>;

/**
 * Takes the lease of a server that uses the database alone. Waits for a holder that no longer renews (at most its time to
 * live); one that does renew is alive: StoreError `unavailable` says what to do. Times are the database server's, so
 * clocks that differ do no harm. Safety does not hang on it: the heads of lanes fence every commit.
 */
export async function acquireExclusiveLease(meta: Meta, options: LeaseOptions): Promise<ExclusiveLease> {
  const token = randomUUID();
  let seen: LeaseRow | undefined;
  while (!(await tryTake(meta, options, token))) {
    const holder = await readLease(meta);
    if (holder && seen?.token === holder.token && seen.expiresAt.getTime() !== holder.expiresAt.getTime())
      throw refusal(holder);
    if (holder && seen && seen.token !== holder.token) throw refusal(holder);
    seen = holder ?? seen;
    await sleep(options.ttlMs / 4);
  }
  return keepRenewing(meta, options, token);
}

function refusal({ holder }: LeaseRow): StoreError {
  return new StoreError(
    'unavailable',
    `another server (${holder}) uses this database alone: to run several, set REDIS_URL for all of them`,
  );
}

function readLease(meta: Meta): Promise<LeaseRow | null> {
  return meta.findOne<LeaseRow>({ _id: 'exclusive' });
}

/** One command: where a lease stands that has not expired, the insert meets it. */
async function tryTake(meta: Meta, { holder, ttlMs }: LeaseOptions, token: string): Promise<boolean> {
  const now = await serverTime(meta);
  const lease = { holder, token, expiresAt: new Date(now.getTime() + ttlMs) };
  try {
    await meta.updateOne({ _id: 'exclusive', expiresAt: { $lt: now } }, { $set: lease }, { upsert: true });
    return true;
  } catch (error) {
    if (error instanceof MongoServerError && error.code === 11000) return false;
    throw error;
  }
}

async function serverTime(meta: Meta): Promise<Date> {
  const hello = await meta.db.admin().command({ hello: 1 });
  return hello.localTime as Date;
}

function keepRenewing(meta: Meta, { ttlMs, onLost }: LeaseOptions, token: string): ExclusiveLease {
  let renewing: Promise<void> | undefined;
  const renew = async () => {
    const expiresAt = new Date((await serverTime(meta)).getTime() + ttlMs);
    const { matchedCount } = await meta.updateOne({ _id: 'exclusive', token }, { $set: { expiresAt } });
    if (matchedCount > 0) return;
    clearInterval(timer);
    onLost();
  };
  const timer = setInterval(() => {
    // A database that is away for a while: a later tick tries again. One at a time, since each waits for it longer than a tick.
    renewing ??= renew()
      .catch(() => undefined)
      .finally(() => {
        renewing = undefined;
      });
  }, ttlMs / 3);
  return {
    release: async () => {
      clearInterval(timer);
      await renewing;
      await meta.deleteOne({ _id: 'exclusive', token }).catch(() => undefined);
    },
  };
}
