/**
 * What only Node has: durable stores on LMDB and in MongoDB, and the client of the original server over them.
 *
 * @module node
 */
export { LmdbStore } from './lmdb-store.ts';
export { MongoStore } from './mongo-store.ts';
export { openLocalStore } from './open-local-store.ts';
export { type PendingOperations, SyncClient } from './sync-client.ts';
