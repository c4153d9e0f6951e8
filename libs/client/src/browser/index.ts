export { IndexedDbStore } from './indexeddb-store.ts';
export { webTabs } from './web-tabs.ts';
