import { brandAs, type CollectionName, type Document, documentKey, type Entry } from '@tidemark/protocol';
import { TRUE_QUERY } from '@tidemark/rql';
import type { LogRead, Store } from '@tidemark/storage';
import { openMongoStore } from '@tidemark/storage/mongo';

const page = 500;

/** What the store holds, read without any server between. */
export class Ledger implements AsyncDisposable {
  private readonly store: Store;

  private constructor(store: Store) {
    this.store = store;
  }

  /** Sees the epochs that there are now. */
  static async open(env: Readonly<Record<string, string>>): Promise<Ledger> {
    const options = { uri: env.MONGODB_URI ?? '', database: env.MONGODB_DATABASE ?? '', lanes: 8, keepLanes: true };
    return new Ledger(await openMongoStore({ ...options, poolSize: 2, socketTimeoutMs: 30_000 }));
  }

  /** The numbers of lanes, epoch by epoch. */
  get layouts(): readonly number[] {
    return this.store.history.epochs.map(({ lanes }) => lanes);
  }

  /** The whole history of the collection, epoch by epoch and lane by lane. Throws when a lane has a gap. */
  async entries(collection: string): Promise<readonly Entry[]> {
    const found: Entry[] = [];
    for (const { epoch, base } of this.store.history.epochs) {
      for (const { lane, head } of await this.store.heads(epoch)) {
        const entries = await this.lane({ epoch, lane, after: base });
        entries.forEach(({ seq }, index) => {
          if (seq !== base + index + 1)
            throw new Error(`lane ${lane}: seq ${seq} stands where ${base + index + 1} belongs`);
        });
        if (base + entries.length !== head)
          throw new Error(`lane ${lane}: ${entries.length} entries, the head ${head}`);
        found.push(...entries.filter((entry) => entry.collection === collection));
      }
    }
    return found;
  }

  /** By key. */
  async documents(collection: string): Promise<ReadonlyMap<string, Document>> {
    const name = brandAs<CollectionName>(collection);
    const { documents, next } = await this.store.readDocuments({ collection: name, query: TRUE_QUERY, limit: 10_000 });
    if (next !== undefined) throw new Error('more documents than a test should make');
    return new Map(documents.map((document) => [documentKey(document._id), document]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
  }

  private async lane(from: Pick<LogRead, 'epoch' | 'lane' | 'after'>): Promise<readonly Entry[]> {
    const all: Entry[] = [];
    for (;;) {
      const entries = await this.store.readLog({ ...from, after: all.at(-1)?.seq ?? from.after, limit: page });
      if (entries.length === 0) return all;
      all.push(...entries);
    }
  }
}
