import type { Entry } from '@tidemark/protocol';
import { type CommitStore, type Store, StoreError, type TransactionRequest } from '@tidemark/storage';

/** What goes wrong with a transaction; undefined: nothing. */
export interface StoreFaults {
  /** Before anything is written. */
  readonly refuse?: (entries: readonly Entry[], request: TransactionRequest) => unknown;
  /** After the commit: it holds, and nobody hears of it. */
  readonly forget?: (entries: readonly Entry[]) => unknown;
}

/** The real store, with transactions that fail by plan. */
export function faultyStore(store: Store, { refuse, forget }: StoreFaults): CommitStore & Pick<Store, 'history'> {
  return {
    history: store.history,
    async transact(request, decide) {
      let entries: readonly Entry[] = [];
      const result = await store.transact(request, (snapshot) => {
        const decided = decide(snapshot);
        entries = decided.plan.entries;
        const error = refuse?.(entries, request);
        if (error !== undefined) throw error;
        return decided;
      });
      const error = forget?.(entries);
      if (error !== undefined) throw error;
      return result;
    },
  };
}

/** Refuses every plan that holds such an entry, as a database does. */
export function poison(
  isPoison: (entry: Entry) => boolean,
  error: unknown = new StoreError('duplicate_key', 'E11000 secret'),
) {
  return (entries: readonly Entry[]) => (entries.some(isPoison) ? error : undefined);
}

/** The store, with an ear for what its transactions fail with. */
export function watchedStore(store: Store, onError: (error: unknown) => void): CommitStore & Pick<Store, 'history'> {
  return {
    history: store.history,
    async transact(request, decide) {
      try {
        return await store.transact(request, decide);
      } catch (error) {
        onError(error);
        throw error;
      }
    },
  };
}
