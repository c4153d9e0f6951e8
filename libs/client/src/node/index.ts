export { LmdbStore } from './lmdb-store.ts';
export { MongoStore } from './mongo-store.ts';
export { openLocalStore } from './open-local-store.ts';
export { type PendingOperations, SyncClient } from './sync-client.ts';
