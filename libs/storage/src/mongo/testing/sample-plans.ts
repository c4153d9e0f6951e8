import {
  brandAs,
  type ChangeId,
  type CollectionName,
  type Document,
  type DocumentId,
  documentKey,
  type Entry,
  type Epoch,
  type JsonObject,
  type Lane,
  type Seq,
  type UserId,
} from '@tidemark/protocol';
import type { CommitPlan, CommitStore, DocumentRef, Snapshot } from '../../port.ts';

/** The writer's part, as small as tests need it: every write wins. */
export interface SampleWrite {
  readonly collection?: string;
  readonly id: DocumentId;
  /** Fields to merge; null deletes. */
  readonly fields: JsonObject | null;
  readonly change: string;
  readonly author?: string;
  /** Told to the store. */
  readonly isExpectedNew?: boolean;
  readonly committedAt?: number;
}

export const lane0 = brandAs<Lane>(0);
export const epoch1 = brandAs<Epoch>(1);

export function refOf(write: Pick<SampleWrite, 'collection' | 'id'>): DocumentRef {
  const { collection = 'notes', id } = write;
  return { collection: brandAs<CollectionName>(collection), key: documentKey(id), documentId: id };
}

export interface CommitOptions {
  readonly lane?: Lane;
  readonly epoch?: Epoch;
  readonly token?: number;
  /** Sees every snapshot. */
  readonly look?: (snapshot: Snapshot) => void;
}

/** Commits the writes in one transaction; the result is the head after it. A change that is in the log already is skipped. */
export function commit(store: CommitStore, writes: readonly SampleWrite[], options: CommitOptions = {}): Promise<Seq> {
  const { lane = lane0, epoch = epoch1, token, look } = options;
  const changes = writes.map(changeOf);
  const request = {
    epoch,
    lanes: [lane],
    ...(token !== undefined && { fences: [{ lane, token }] }),
    documents: writes.map(refOf),
    expectedNew: writes.filter(({ isExpectedNew }) => isExpectedNew).map(refOf),
    changes,
  };
  return store.transact(request, (snapshot) => {
    look?.(snapshot);
    const fresh = writes.filter((write) => snapshot.outcome(changeOf(write)) === undefined);
    return { plan: planOf(fresh, { snapshot, lane, epoch }), result: brandAs<Seq>(snapshot.head(lane) + fresh.length) };
  });
}

function changeOf({ change, author = 'ada' }: SampleWrite) {
  return { author: brandAs<UserId>(author), id: brandAs<ChangeId>(change) };
}

interface Place {
  readonly snapshot: Snapshot;
  readonly lane: Lane;
  readonly epoch: Epoch;
}

function planOf(writes: readonly SampleWrite[], { snapshot, lane, epoch }: Place): CommitPlan {
  const entries: Entry[] = [];
  const states: CommitPlan['states'][number][] = [];
  for (const write of writes) {
    const ref = refOf(write);
    const seq = brandAs<Seq>(snapshot.head(lane) + entries.length + 1);
    const { author, id } = changeOf(write);
    const committedAt = write.committedAt ?? 1_000 + seq;
    const stored = snapshot.state(ref);
    const before = stored?.kind === 'document' ? stored.document : null;
    const metadata = { _id: ref.documentId, sync_updated_at: committedAt, _updated_by: author, sync_version: seq };
    const after = write.fields && ({ ...before, ...write.fields, ...metadata } as unknown as Document);
    entries.push({
      ...{ epoch, lane, seq, author, id, collection: ref.collection, documentId: ref.documentId, key: ref.key },
      operation: after ? (before ? 'update' : 'insert') : 'delete',
      ...(before && write.fields && { data: write.fields, unset: [] }),
      ...{ before, after, timestamp: committedAt, committedAt },
    });
    states.push({
      ref,
      state: after
        ? { kind: 'document', document: after }
        : { kind: 'tombstone', timestamp: committedAt, author, seq, deletedAt: committedAt },
    });
  }
  return { entries, states, superseded: [] };
}
