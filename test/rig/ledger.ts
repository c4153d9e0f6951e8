import {
  brandAs,
  type CollectionName,
  type Document,
  documentKey,
  type Entry,
  type Lane,
  type Seq,
} from '@tidemark/protocol';
import { TRUE_QUERY } from '@tidemark/rql';
import type { Store } from '@tidemark/storage';
import { openMongoStore } from '@tidemark/storage/mongo';

const page = 500;

/** What the store holds, read without any server between. */
export class Ledger implements AsyncDisposable {
  private readonly store: Store;

  private constructor(store: Store) {
    this.store = store;
  }

  static async open(env: Readonly<Record<string, string>>, lanes = 8): Promise<Ledger> {
    const [uri, database] = [env.MONGODB_URI ?? '', env.MONGODB_DATABASE ?? ''];
    return new Ledger(await openMongoStore({ uri, database, lanes, poolSize: 2, socketTimeoutMs: 30_000 }));
  }

  /** The whole history of the collection, lane by lane. Throws when a lane has a gap. */
  async entries(collection: string): Promise<readonly Entry[]> {
    const { epoch } = this.store.history.epochs.at(-1) ?? fail('a history without an epoch');
    const found: Entry[] = [];
    for (const { lane, head } of await this.store.heads(epoch)) {
      const entries = await this.lane(epoch, lane);
      entries.forEach(({ seq }, index) => {
        if (seq !== index + 1) throw new Error(`lane ${lane}: seq ${seq} stands where ${index + 1} belongs`);
      });
      if (entries.length !== head) throw new Error(`lane ${lane}: ${entries.length} entries and the head ${head}`);
      found.push(...entries.filter((entry) => entry.collection === collection));
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

  private async lane(epoch: Entry['epoch'], lane: Lane): Promise<readonly Entry[]> {
    const all: Entry[] = [];
    for (;;) {
      const after = all.at(-1)?.seq ?? brandAs<Seq>(0);
      const entries = await this.store.readLog({ epoch, lane, after, limit: page });
      if (entries.length === 0) return all;
      all.push(...entries);
    }
  }
}

function fail(message: string): never {
  throw new Error(message);
}
