import { describeLocalStore } from './conformance/local-store.ts';
import { MemoryStore } from './memory-store.ts';

describeLocalStore('MemoryStore', async () => {
  const store = new MemoryStore();
  return { open: () => store, canRefuse: false, dispose: async () => {} };
});
