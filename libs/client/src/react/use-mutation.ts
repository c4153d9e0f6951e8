import type { DocumentId } from '@tidemark/protocol/core';
import { useMemo, useReducer } from 'react';
import { ClientError, type ClientErrorCode } from '../client-error.ts';
import type { NewDocument, UpdateOptions } from '../collection.ts';
import type { Write } from '../local-writer.ts';
import { useTidemark } from './provider.ts';

/** The functions stay the same from one render to the next. Each shows its write at once and resolves when it is kept locally. */
export interface MutationActions {
  /** As `Collection.insert`. */
  insert(document: NewDocument): Promise<Write>;
  /** As `Collection.update`. */
  update(id: DocumentId, fields: Readonly<Record<string, unknown>>, options?: UpdateOptions): Promise<Write>;
  /** As `Collection.delete`. */
  remove(id: DocumentId): Promise<Write>;
  /** Forgets `error`. */
  reset(): void;
}

/** What `useMutation` gives: the functions, and how their writes fare. */
export interface Mutation extends MutationActions {
  /** Writes of this hook that the server has not decided yet. */
  readonly pending: number;
  /** Why the last failed write of this hook failed: not kept here (the promise rejects, too), or refused by the server or overtaken. */
  readonly error: Error | undefined;
}

interface MutationState {
  readonly pending: number;
  readonly error: Error | undefined;
}

type Step =
  | { readonly kind: 'begun' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'ended'; readonly error?: Error };

const idle: MutationState = { pending: 0, error: undefined };

/** Writes to a collection. */
export function useMutation(collection: string): Mutation {
  const client = useTidemark();
  const [state, dispatch] = useReducer(next, idle);
  const actions = useMemo((): MutationActions => {
    const target = client.collection(collection);
    return {
      insert: (document) => follow(target.insert(document), dispatch),
      update: (id, fields, options) => follow(target.update(id, fields, options), dispatch),
      remove: (id) => follow(target.delete(id), dispatch),
      reset: () => dispatch({ kind: 'reset' }),
    };
  }, [client, collection]);
  return { ...actions, ...state };
}

function next(state: MutationState, step: Step): MutationState {
  if (step.kind === 'begun') return { ...state, pending: state.pending + 1 };
  if (step.kind === 'reset') return { ...state, error: undefined };
  return { pending: state.pending - 1, error: step.error ?? state.error };
}

async function follow(writing: Promise<Write>, dispatch: (step: Step) => void): Promise<Write> {
  dispatch({ kind: 'begun' });
  try {
    const write = await writing;
    void write.settled().then(({ outcome, code, error }) => {
      if (outcome === 'applied') dispatch({ kind: 'ended' });
      else
        dispatch({ kind: 'ended', error: new ClientError((code ?? 'internal') as ClientErrorCode, error ?? outcome) });
    });
    return write;
  } catch (error) {
    dispatch({ kind: 'ended', error: error instanceof Error ? error : new Error(String(error)) });
    throw error;
  }
}
