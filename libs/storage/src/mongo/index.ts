export { type MongoStoreOptions, openMongoStore } from './open-mongo-store.ts';
export { filterOf, type QueryFilter } from './rql-filter.ts';
