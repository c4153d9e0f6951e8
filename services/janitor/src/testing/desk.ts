import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  brandAs,
  type ChangeId,
  type CollectionName,
  type DocumentKey,
  type Entry,
  type Lane,
  laneOf,
  type Seq,
  type UserId,
} from '@tidemark/protocol';
import type { Store, StoredState } from '@tidemark/storage';
import { openEmbeddedStore } from '@tidemark/storage/embedded';

const collection = brandAs<CollectionName>('tasks');
const author = brandAs<UserId>('alice');

/** A real store with a hand that writes to it. */
export class Desk {
  private open: Store;
  private readonly directory: string;

  private constructor(store: Store, directory: string) {
    this.open = store;
    this.directory = directory;
  }

  static async open(lanes = 1): Promise<Desk> {
    const directory = await mkdtemp(join(tmpdir(), 'tidemark-janitor-'));
    return new Desk(await openEmbeddedStore({ directory, lanes }), directory);
  }

  get store(): Store {
    return this.open;
  }

  /** With another number of lanes. */
  async reopen(lanes: number): Promise<void> {
    await this.open.close();
    this.open = await openEmbeddedStore({ directory: this.directory, lanes });
  }

  get epoch() {
    const layout = this.store.history.epochs.at(-1);
    if (layout === undefined) throw new Error('a history without an epoch');
    return layout;
  }

  /** Commits one insert or delete of the document at the time. */
  async write(documentId: string, committedAt: number, operation: 'insert' | 'delete' = 'insert'): Promise<void> {
    const { epoch, lanes } = this.epoch;
    const key = brandAs<DocumentKey>(documentId);
    const lane = laneOf(collection, key, lanes);
    const ref = { collection, key, documentId };
    await this.store.transact({ epoch, lanes: [lane], documents: [ref], changes: [] }, (snapshot) => {
      const seq = brandAs<Seq>(snapshot.head(lane) + 1);
      const document = { _id: documentId, sync_updated_at: committedAt, _updated_by: author, sync_version: seq };
      const after = operation === 'insert' ? document : null;
      const id = brandAs<ChangeId>(`${documentId}:${seq}`);
      const made = { epoch, lane, seq, author, id, ...ref, operation, timestamp: committedAt, committedAt };
      const entry: Entry = { ...made, before: null, after };
      const state: StoredState =
        after === null
          ? { kind: 'tombstone', timestamp: committedAt, author, seq, deletedAt: committedAt }
          : { kind: 'document', document: after };
      return { plan: { entries: [entry], states: [{ ref, state }], superseded: [] }, result: undefined };
    });
  }

  async heads(): Promise<readonly { readonly lane: Lane; readonly head: Seq; readonly trimmed: Seq }[]> {
    return await this.store.heads(this.epoch.epoch);
  }

  async close(): Promise<void> {
    await this.store.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Resolves when the condition holds; rejects when it has not for five seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within time: ${condition}`);
    await sleep(1);
  }
}
