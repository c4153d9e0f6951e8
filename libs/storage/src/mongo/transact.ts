import type { CollectionName } from '@tidemark/protocol';
import type { ClientSession } from 'mongodb';
import type { CommitPlan, CommitStore, DocumentRef, Snapshot, TransactionRequest } from '../port.ts';
import type { Database } from './database.ts';
import { changeKey } from './entry-rows.ts';
import { LaneMemory, type LaneState } from './lane-memory.ts';
import { LaneQueue } from './lane-queue.ts';
import {
  documentText,
  lanesOf,
  type Presumption,
  presumeSnapshot,
  readSnapshot,
  type TransactionSnapshot,
} from './read-snapshot.ts';
import { runTransaction, tryTransaction } from './run-transaction.ts';
import { type SendWrites, sendEach } from './send-writes.ts';
import type { UserCollections } from './user-collections.ts';
import { isEmptyPlan, planWrites } from './write-plan.ts';

export interface TransactOptions {
  readonly database: Database;
  readonly collections: UserCollections;
  readonly laneCount: number;
  /** The way of sending for attempts that presume; the others send each, to learn what is wrong. */
  readonly sendQuickly: SendWrites;
}

/** Documents are to be written into collections that do not exist yet. */
class MissingCollections extends Error {
  readonly names: readonly CollectionName[];

  constructor(names: readonly CollectionName[]) {
    super(`these collections do not exist yet: ${names.join(', ')}`);
    this.names = names;
  }
}

/** What was presumed and not read may matter. */
class Unsure extends Error {}

/**
 * Whether documents that are expected to be new are taken to be so. Some clients insert over what exists, as they may; then
 * that would make every commit twice the work.
 */
class Trust {
  #commitsToLook = 0;

  /** Called once per commit. */
  take(): boolean {
    if (this.#commitsToLook === 0) return true;
    this.#commitsToLook -= 1;
    return false;
  }

  lose(): void {
    this.#commitsToLook = 64;
  }
}

type Decide<T> = (snapshot: Snapshot) => { plan: CommitPlan; result: T };

/**
 * `transact` of the port: one transaction of MongoDB per call. The first attempt presumes what is nearly always so (see
 * `presumeSnapshot`), which makes half as many round trips; when it does not come out, everything is read.
 */
export function createTransact(options: TransactOptions): CommitStore['transact'] {
  const queue = new LaneQueue();
  const memory = new LaneMemory();
  const trust = new Trust();
  return (request, decide) => queue.run(request.lanes, () => transact({ ...options, memory, trust, request, decide }));
}

interface Work<T> extends TransactOptions {
  readonly memory: LaneMemory;
  readonly trust: Trust;
  readonly request: TransactionRequest;
  readonly decide: Decide<T>;
}

async function transact<T>(work: Work<T>): Promise<T> {
  try {
    return await commit(work);
  } catch (error) {
    if (!(error instanceof MissingCollections)) throw error;
    // Once in the life of a collection. A transaction cannot make indexes beside writing documents.
    await work.collections.create(error.names);
    return commit(work);
  }
}

async function commit<T>(work: Work<T>): Promise<T> {
  const { database, memory, trust, request } = work;
  const named = lanesOf(request);
  const lanes = request.documents.length > 0 ? memory.recall(request.epoch, named) : undefined;
  memory.forget(request.epoch, named);
  if (lanes !== undefined) {
    const expectedNew = (trust.take() && request.expectedNew) || [];
    const presumption = { request, lanes, expectedNew };
    const reads = expectedNew.length < request.documents.length;
    const body = (session: ClientSession) => presume(session, work, presumption);
    try {
      return remember(work, await tryTransaction(database.client, body, { reads }));
    } catch (error) {
      if (error instanceof MissingCollections) throw error;
      // Whatever it was, it may come from what was presumed; if not, it comes again.
      if (expectedNew.length > 0) trust.lose();
    }
  }
  return remember(work, await runTransaction(database.client, (session) => decideExactly(session, work)));
}

/** What a transaction led to, and where it left or found the lanes. */
interface Done<T> {
  readonly result: T;
  readonly lanes: readonly LaneState[];
}

function remember<T>({ memory, request }: Work<T>, { result, lanes }: Done<T>): T {
  memory.learn(request.epoch, lanes);
  return result;
}

async function decideExactly<T>(session: ClientSession, work: Work<T>): Promise<Done<T>> {
  const snapshot = await readSnapshot(work.database, session, work.request);
  const { plan, result } = work.decide(snapshot);
  if (isEmptyPlan(plan)) return { result, lanes: [...lanesOf(work.request)].map(snapshot.lane) };
  return { result, lanes: await write(session, work, { snapshot, plan, send: sendEach }) };
}

/** Throws Unsure when what was presumed is not put to the test by writing. */
async function presume<T>(session: ClientSession, work: Work<T>, presumption: Presumption): Promise<Done<T>> {
  const snapshot = await presumeSnapshot(work.database, session, presumption);
  const { plan, result } = work.decide(snapshot);
  if (isEmptyPlan(plan) || !recordsEvery(work.request.changes, plan)) throw new Unsure('not every change is recorded');
  if (!makesEvery(presumption.expectedNew, plan)) throw new Unsure('not every new document is made');
  return { result, lanes: await write(session, work, { snapshot, plan, send: work.sendQuickly }) };
}

function recordsEvery(changes: TransactionRequest['changes'], { entries, superseded }: CommitPlan): boolean {
  const recorded = new Set([...entries, ...superseded].map(changeKey));
  return changes.every((change) => recorded.has(changeKey(change)));
}

function makesEvery(refs: readonly DocumentRef[], plan: CommitPlan): boolean {
  const made = new Set(documentsOfPlan(plan).map(documentText));
  return refs.every((ref) => made.has(documentText(ref)));
}

interface Decided {
  readonly snapshot: TransactionSnapshot;
  readonly plan: CommitPlan;
  readonly send: SendWrites;
}

async function write<T>(
  session: ClientSession,
  work: Work<T>,
  { send, ...decided }: Decided,
): Promise<readonly LaneState[]> {
  const missing = collectionsToFill(decided.plan).filter((name) => !work.collections.has(name));
  if (missing.length > 0) throw new MissingCollections(missing);
  const { collections, lanes } = await planWrites({ ...work, ...decided });
  await send(work.database, session, collections);
  return lanes;
}

function collectionsToFill(plan: CommitPlan): readonly CollectionName[] {
  return [...new Set(documentsOfPlan(plan).map(({ collection }) => collection))];
}

/** Those that are there when the plan is carried out. */
function documentsOfPlan({ states }: CommitPlan): readonly DocumentRef[] {
  return states.filter(({ state }) => state.kind === 'document').map(({ ref }) => ref);
}
