/** Names that belong to the server or to MongoDB; clients may not name them (the wire contract, "Names"). */
const reserved = /^(tidemark_|_sync_|system\.)/;

/** May clients name this collection? */
export function isClientCollection(name: string): boolean {
  return !reserved.test(name);
}
