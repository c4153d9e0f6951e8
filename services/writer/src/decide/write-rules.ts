import type { Author, CollectionName, Document } from '@tidemark/protocol';

/** What a change does to its document. */
export interface Images {
  readonly before: Document | null;
  readonly after: Document | null;
}

export interface WriteFault {
  readonly code: 'forbidden' | 'schema_violation';
  readonly error: string;
}

/** The slice of the rules that a decision needs. */
export interface WriteRules {
  canRead(collection: CollectionName, author: Author, document: Document): boolean;
  /** Undefined when the author may make `after` of `before`. */
  writeFault(collection: CollectionName, author: Author, images: Images): WriteFault | undefined;
  settings(collection: CollectionName): { readonly merge: 'document' | 'field' };
}
