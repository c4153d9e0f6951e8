export { IndexedDbStore } from './indexeddb-store.ts';
