export type { ExclusiveLease, LeaseOptions } from './exclusive-lease.ts';
export { type MongoStore, type MongoStoreOptions, openMongoStore } from './open-mongo-store.ts';
export { filterOf, type QueryFilter } from './rql-filter.ts';
