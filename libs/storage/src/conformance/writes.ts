import {
  brandAs,
  type ChangeId,
  type CollectionName,
  type Document,
  type DocumentId,
  documentKey,
  type Entry,
  type Epoch,
  type FieldVersions,
  type JsonObject,
  type Lane,
  type Millis,
  type Seq,
  type UserId,
} from '@tidemark/protocol';
import type {
  ChangeRef,
  CommitPlan,
  DocumentRef,
  RecordedOutcome,
  Snapshot,
  Store,
  StoredState,
  TransactionRequest,
} from '../port.ts';

export const laneOne = brandAs<Lane>(0);
export const lane = (index: number) => brandAs<Lane>(index);
export const seq = (value: number) => brandAs<Seq>(value);
export const epoch = (value: number) => brandAs<Epoch>(value);
export const collectionName = (text: string) => brandAs<CollectionName>(text);
export const currentEpoch = (store: Store): Epoch => store.history.epochs.at(-1)!.epoch;

export const refOf = (collection: string, documentId: DocumentId): DocumentRef => ({
  collection: collectionName(collection),
  documentId,
  key: documentKey(documentId),
});

export const changeOf = (author: string, id: string): ChangeRef => ({
  author: brandAs<UserId>(author),
  id: brandAs<ChangeId>(id),
});

/** A change that is applied whatever the stored state is; `fields: null` deletes. */
export interface Write {
  readonly documentId: DocumentId;
  readonly fields: JsonObject | null;
  readonly collection?: string;
  readonly change?: ChangeRef;
  readonly lane?: Lane;
  /** LWW timestamp and time of the commit. */
  readonly at?: Millis;
  readonly fieldVersions?: FieldVersions;
}

let changes = 0;
/** A change that no other test case names. */
export const newChange = (author = 'alice'): ChangeRef => changeOf(author, `change-${++changes}`);

type NamedWrite = Write & { readonly change: ChangeRef; readonly ref: DocumentRef; readonly lane: Lane };

const named = (write: Write): NamedWrite => ({
  ...write,
  change: write.change ?? newChange(),
  lane: write.lane ?? laneOne,
  ref: refOf(write.collection ?? 'tasks', write.documentId),
});

/** Commits the writes in one transaction; the entries as they were committed. */
export async function commit(
  store: Store,
  writes: readonly Write[],
  options: Partial<TransactionRequest> = {},
): Promise<readonly Entry[]> {
  const all = writes.map(named);
  const request = requestFor(store, all, options);
  return store.transact(request, (snapshot) => {
    const plan = planOf(request.epoch, all, snapshot);
    return { plan, result: plan.entries };
  });
}

export function requestFor(
  store: Store,
  writes: readonly Write[],
  options: Partial<TransactionRequest> = {},
): TransactionRequest {
  const all = writes.map(named);
  return {
    epoch: currentEpoch(store),
    lanes: [...new Set(all.map((write) => write.lane))],
    documents: all.map(({ ref }) => ref),
    changes: all.map(({ change }) => change),
    ...options,
  };
}

/** Plans what `commit` commits; the writes must name their changes. */
export function planOf(inEpoch: Epoch, writes: readonly Write[], snapshot: Snapshot): CommitPlan {
  const heads = new Map<Lane, number>();
  const states = new Map<string, { ref: DocumentRef; state: StoredState }>();
  const entries = writes.map(named).map((write) => {
    const { ref } = write;
    const key = `${ref.collection} ${ref.key}`;
    const next = seq((heads.get(write.lane) ?? snapshot.head(write.lane)) + 1);
    heads.set(write.lane, next);
    const stored = states.get(key)?.state ?? snapshot.state(ref);
    const state = stateAfter(write, next);
    states.set(key, { ref, state });
    return entryOf(inEpoch, write, { seq: next, before: documentOf(stored), after: documentOf(state) });
  });
  return { entries, states: [...states.values()], superseded: [] };
}

function stateAfter(write: NamedWrite, next: Seq): StoredState {
  const { at = 1000, change, fields, fieldVersions, documentId } = write;
  if (fields === null) {
    return { kind: 'tombstone', timestamp: at, author: change.author, seq: next, deletedAt: at };
  }
  const metadata = { _id: documentId, sync_updated_at: at, _updated_by: change.author, sync_version: next };
  const document: Document = { ...fields, ...metadata };
  return { kind: 'document', document, ...(fieldVersions && { fieldVersions }) };
}

interface EntryImages {
  readonly seq: Seq;
  readonly before: Document | null;
  readonly after: Document | null;
}

function entryOf(inEpoch: Epoch, write: NamedWrite, images: EntryImages): Entry {
  const { at = 1000, change, ref, fields } = write;
  return {
    epoch: inEpoch,
    lane: write.lane,
    ...images,
    ...change,
    operation: fields === null ? 'delete' : 'insert',
    ...ref,
    timestamp: at,
    committedAt: at,
  };
}

const documentOf = (state: StoredState | undefined) => (state?.kind === 'document' ? state.document : null);

export const emptyPlan: CommitPlan = { entries: [], states: [], superseded: [] };

/** Records outcomes of changes that lost. */
export async function supersede(store: Store, change: ChangeRef, at: Millis = 1000): Promise<RecordedOutcome> {
  const { collection, documentId } = refOf('tasks', 'lost');
  const outcome: RecordedOutcome = {
    kind: 'superseded',
    ...change,
    collection,
    documentId,
    timestamp: at,
    committedAt: at,
  };
  const request: TransactionRequest = {
    epoch: currentEpoch(store),
    lanes: [laneOne],
    documents: [],
    changes: [change],
  };
  return store.transact(request, () => ({ plan: { ...emptyPlan, superseded: [outcome] }, result: outcome }));
}

/** Reads through a transaction that writes nothing. */
export async function look<T>(
  store: Store,
  request: Partial<TransactionRequest>,
  read: (snapshot: Snapshot) => T,
): Promise<T> {
  const whole: TransactionRequest = {
    epoch: currentEpoch(store),
    lanes: [laneOne],
    documents: [],
    changes: [],
    ...request,
  };
  return store.transact(whole, (snapshot) => ({ plan: emptyPlan, result: read(snapshot) }));
}

export const stateOf = (store: Store, ref: DocumentRef) =>
  look(store, { documents: [ref] }, (snapshot) => snapshot.state(ref));

export const outcomeOf = (store: Store, change: ChangeRef) =>
  look(store, { changes: [change] }, (snapshot) => snapshot.outcome(change));

export const headOf = (store: Store, of: Lane = laneOne) =>
  look(store, { lanes: [of] }, (snapshot) => snapshot.head(of));

/** The whole log of a lane, read in steps. */
export async function logOf(
  store: Store,
  of: Lane = laneOne,
  after = 0,
  inEpoch = currentEpoch(store),
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const position = seq(entries.at(-1)?.seq ?? after);
    const step = await store.readLog({ epoch: inEpoch, lane: of, after: position, limit: 7 });
    if (step.length === 0) return entries;
    entries.push(...step);
  }
}
