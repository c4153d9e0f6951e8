import type { CollectionName } from '@tidemark/protocol';
import type { ClientSession } from 'mongodb';
import type { CommitPlan, CommitStore, Snapshot, TransactionRequest } from '../port.ts';
import type { Database } from './database.ts';
import { LaneQueue } from './lane-queue.ts';
import { readSnapshot } from './read-snapshot.ts';
import { runTransaction } from './run-transaction.ts';
import type { UserCollections } from './user-collections.ts';
import { isEmptyPlan, writePlan } from './write-plan.ts';

export interface TransactOptions {
  readonly database: Database;
  readonly collections: UserCollections;
  readonly laneCount: number;
}

/** Documents are to be written into collections that do not exist yet. */
class MissingCollections extends Error {
  readonly names: readonly CollectionName[];

  constructor(names: readonly CollectionName[]) {
    super(`these collections do not exist yet: ${names.join(', ')}`);
    this.names = names;
  }
}

type Decide<T> = (snapshot: Snapshot) => { plan: CommitPlan; result: T };

/** `transact` of the port: one transaction of MongoDB per call. */
export function createTransact(options: TransactOptions): CommitStore['transact'] {
  const queue = new LaneQueue();
  return (request, decide) => queue.run(request.lanes, () => transact({ ...options, request, decide }));
}

interface Work<T> extends TransactOptions {
  readonly request: TransactionRequest;
  readonly decide: Decide<T>;
}

async function transact<T>(work: Work<T>): Promise<T> {
  const { database, collections } = work;
  const body = (session: ClientSession) => decideAndWrite(session, work);
  try {
    return await runTransaction(database.client, body);
  } catch (error) {
    if (!(error instanceof MissingCollections)) throw error;
    // Once in the life of a collection. A transaction cannot make indexes beside writing documents.
    await collections.create(error.names);
    return runTransaction(database.client, body);
  }
}

async function decideAndWrite<T>(session: ClientSession, work: Work<T>): Promise<T> {
  const { database, collections, laneCount, request, decide } = work;
  const snapshot = await readSnapshot(database, session, request);
  const { plan, result } = decide(snapshot);
  if (isEmptyPlan(plan)) return result;
  const missing = collectionsToFill(plan).filter((name) => !collections.has(name));
  if (missing.length > 0) throw new MissingCollections(missing);
  await writePlan(database, session, { request, snapshot, plan, collections, laneCount });
  return result;
}

function collectionsToFill(plan: CommitPlan): readonly CollectionName[] {
  return [...new Set(plan.states.filter(({ state }) => state.kind === 'document').map(({ ref }) => ref.collection))];
}
