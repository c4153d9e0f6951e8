import { type MutationActions, useMutation, useTidemark } from '@tidemark/client/react';
import { createContext, useContext, useMemo } from 'react';
import { newId } from '../documents.ts';
import { LatencyBook } from './latency-book.ts';

export const LatencyContext = createContext(new LatencyBook());

export type Writer = Pick<MutationActions, 'insert' | 'update' | 'remove'>;

/** Writes to a collection, and notes when. */
export function useWriter(collection: string): Writer {
  const client = useTidemark();
  const book = useContext(LatencyContext);
  const { insert, update, remove } = useMutation(collection);
  return useMemo(
    () => ({
      insert: (document) => {
        const _id = document._id ?? newId();
        book.begin(client, collection, _id);
        return insert({ ...document, _id });
      },
      update: (id, fields, options) => {
        book.begin(client, collection, id);
        return update(id, fields, options);
      },
      remove: (id) => {
        book.begin(client, collection, id);
        return remove(id);
      },
    }),
    [client, book, collection, insert, update, remove],
  );
}
