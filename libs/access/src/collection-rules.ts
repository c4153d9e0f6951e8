import type { CollectionName, Document } from '@tidemark/protocol';
import type { Rule } from './rule.ts';

export const verbs = ['read', 'insert', 'update', 'delete'] as const;
export type Verb = (typeof verbs)[number];

/** How a collection is kept, apart from who may do what. */
export interface CollectionRules {
  /** What last-write-wins decides about: the whole document, or each field on its own. */
  readonly merge: 'document' | 'field';
  /** Dotted paths that equality filters are to find documents by. */
  readonly indexes: readonly string[];
}

/** All that the file says about a collection. */
export interface CollectionEntry extends CollectionRules, Readonly<Record<Verb, Rule>> {
  /** Why the document does not obey the collection's schema, as a sentence; undefined when it does. */
  readonly schemaFault?: (document: Document) => string | undefined;
}

/** A rules file that was accepted. Immutable. */
export interface RulesFile {
  readonly fileName: string;
  readonly collections: ReadonlyMap<CollectionName, CollectionEntry>;
  /** The entry `"*"`: for every collection that is not listed. */
  readonly fallback: CollectionEntry | undefined;
}
