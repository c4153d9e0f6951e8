import type { DocumentKey } from '@tidemark/protocol/core';

/** Text that names a document among all collections. A collection's name holds no NUL, so no two documents share it. */
export function documentRef(collection: string, key: DocumentKey): string {
  return `${collection}\u0000${key}`;
}
