import { afterEach, beforeEach } from '@jest/globals';
import type { CollectionName } from '@tidemark/protocol';
import type { CollectionSettings, Store } from '../port.ts';

export interface OpenOptions {
  readonly lanes: number;
  readonly collections?: (name: CollectionName) => CollectionSettings | undefined;
}

/** One place where data is kept: empty at first, private to one test. */
export interface StoreBed {
  /** Opens the store on what the bed holds. The suite closes a store before it opens the next one. */
  open(options: OpenOptions): Promise<Store>;
  /**
   * Puts a document there as a user's own program would, without Tidemark's fields; the store is open meanwhile.
   * Left out where nothing but the store can write.
   */
  readonly plant?: (
    collection: string,
    document: Readonly<Record<string, unknown>> & { readonly _id: string },
  ) => Promise<void>;
  /** Called after the stores are closed. */
  dispose(): Promise<void>;
}

export interface StoreContext {
  open(options?: Partial<OpenOptions>): Promise<Store>;
  /** Closes the store and opens it again on the same data. */
  reopen(store: Store, options?: Partial<OpenOptions>): Promise<Store>;
  bed(): StoreBed;
}

/** A bed for each test; every store that a test leaves open is closed. */
export function useBed(create: () => Promise<StoreBed>): StoreContext {
  let bed: StoreBed;
  let stores: Store[];
  beforeEach(async () => {
    bed = await create();
    stores = [];
  });
  afterEach(async () => {
    for (const store of stores) await store.close();
    await bed.dispose();
  });
  const open: StoreContext['open'] = async (options) => {
    const store = await bed.open({ lanes: 1, ...options });
    stores.push(store);
    return store;
  };
  return {
    open,
    async reopen(store, options) {
      await store.close();
      return open(options);
    },
    bed: () => bed,
  };
}
