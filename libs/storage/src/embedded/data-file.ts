import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

const magicOffset = 24;
const magic = Buffer.from('dec0efbe', 'hex');

/**
 * Throws when LMDB's file in the directory cannot be read and written, or is not LMDB's. Asked before LMDB is, whose
 * binding ends the process when it cannot open a file.
 */
export function assertDataFile(directory: string): void {
  const file = openSync(join(directory, 'data.mdb'), constants.O_RDWR | constants.O_CREAT, 0o644);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new Error('data.mdb is not a file');
    if (stats.size > 0 && !hasMagic(file)) throw new Error('data.mdb is not a database of this kind');
  } finally {
    closeSync(file);
  }
}

function hasMagic(file: number): boolean {
  const bytes = Buffer.alloc(magic.length);
  readSync(file, bytes, 0, magic.length, magicOffset);
  return bytes.equals(magic);
}

/** Makes the names in a directory durable: a file that was flushed is lost all the same when its name is not on disk. */
export function flushDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(directory, constants.O_RDONLY);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
