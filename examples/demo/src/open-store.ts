import { type LocalStore, MemoryStore } from '@tidemark/client';

export async function openStore(_name: string): Promise<LocalStore> {
  return new MemoryStore();
}
