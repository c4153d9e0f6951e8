import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LocalStore } from '../local/port.ts';
import { LmdbStore } from './lmdb-store.ts';
import { MongoStore } from './mongo-store.ts';

/** The store of a user at a place: `mongodb://…`, `mongodb+srv://…`, or `file:///folder` for a folder of LMDB files. */
export function openLocalStore(uri: string, userId: string): LocalStore {
  if (/^mongodb(\+srv)?:/.test(uri)) return new MongoStore(uri, userId);
  if (uri.startsWith('file:')) return new LmdbStore(join(fileURLToPath(uri), folderOf(userId)));
  throw new TypeError(
    `the local store must be mongodb:, mongodb+srv: or file:, not ${JSON.stringify(uri.slice(0, 40))}`,
  );
}

/** A name that every file system takes, and that no two users share. */
function folderOf(userId: string): string {
  return createHash('sha256').update(userId).digest('hex').slice(0, 32);
}
