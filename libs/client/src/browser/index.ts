/**
 * What only browsers have: a durable store in IndexedDB, and tabs that share it.
 *
 * @module browser
 */
export { IndexedDbStore } from './indexeddb-store.ts';
export { webTabs } from './web-tabs.ts';
