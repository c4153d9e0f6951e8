export { type EmbeddedStoreOptions, openEmbeddedStore } from './open-embedded-store.ts';
