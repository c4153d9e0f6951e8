/**
 * Hooks for React 19, below one `<TidemarkProvider client={…}>`.
 *
 * @module react
 */
export { TidemarkProvider, type TidemarkProviderProps, useTidemark } from './provider.ts';
export type { QueryState } from './query-entry.ts';
export { type DocumentState, useDocument } from './use-document.ts';
export { type Mutation, type MutationActions, useMutation } from './use-mutation.ts';
export { type QueryOptions, useQuery } from './use-query.ts';
export { useSyncStatus } from './use-sync-status.ts';
