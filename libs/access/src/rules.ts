import { createHash } from 'node:crypto';
import {
  type Author,
  type CollectionName,
  type Document,
  type ErrorCode,
  type Json,
  parseCollectionName,
  type UserId,
} from '@tidemark/protocol';
import type { BoundQuery } from '@tidemark/rql';
import { jsonClaim } from './claim-value.ts';
import { type CollectionEntry, type CollectionRules, type RulesFile, verbs } from './collection-rules.ts';
import { closedRule, openRule } from './rule.ts';

/** A change as its effect on the stored document. */
export interface Images {
  /** Null: there is no such document. */
  readonly before: Document | null;
  /** Null: there will be none. */
  readonly after: Document | null;
}

export interface WriteFault {
  readonly code: Extract<ErrorCode, 'forbidden' | 'schema_violation'>;
  readonly error: string;
}

/** Who may do what. Immutable; every answer is from memory. Names that are closed to clients are closed here too. */
export interface Rules {
  /** What the author may read, to be ANDed into every filter. Exactly FALSE_QUERY when that is nothing. */
  readQuery(collection: CollectionName, author: Author): BoundQuery;
  canRead(collection: CollectionName, author: Author, document: Document): boolean;
  /**
   * Fingerprint of the read rules and of the author's claims in them, 16 hexadecimal digits: while it stays, an author's view
   * changes with the documents only. Undefined without a file.
   */
  readRights(author: Author): string | undefined;
  /**
   * Why the author may not make this change; undefined when allowed. What happens decides the rule: without a document
   * before, `insert` on what comes after; without one after, `delete` on what was; else `update` on both. A delete of
   * nothing needs a `delete` that is not closed to the author. Then the schema, on what comes after.
   */
  writeFault(collection: CollectionName, author: Author, images: Images): WriteFault | undefined;
  settings(collection: CollectionName): CollectionRules;
  /** The collections that the file names. */
  readonly listed: readonly CollectionName[];
  /** What a job must carry: the claims that some rule mentions and that are JSON. `sub` is the user's id, always. */
  claimsFor(userId: UserId, claims: Readonly<Record<string, unknown>>): Readonly<Record<string, Json>>;
}

export interface RulesOptions {
  /** What a collection without a rule is: closed in production, open else. */
  readonly production: boolean;
  /** Told once of each collection (of the first 1,000) that is open because nothing is said about it. */
  readonly onOpen?: (collection: CollectionName) => void;
}

/** Names come from clients: the memory of whom we told is bounded. */
const maxOpenNames = 1_000;
const rightsDigits = 16;

/** Without a file nothing is said about any collection. */
export function createRules(file: RulesFile | undefined, options: RulesOptions): Rules {
  return new FileRules(file, options);
}

class FileRules implements Rules {
  readonly listed: readonly CollectionName[];
  private readonly collections: ReadonlyMap<CollectionName, CollectionEntry>;
  private readonly fallback: CollectionEntry;
  /** Whether `fallback` is open only because we are in development. */
  private readonly isUnsaid: boolean;
  private readonly claims: readonly string[];
  private readonly reads: { readonly texts: string; readonly claims: readonly string[] } | undefined;
  private readonly told = new Set<CollectionName>();
  private readonly onOpen: (collection: CollectionName) => void;

  constructor(file: RulesFile | undefined, options: RulesOptions) {
    this.collections = file?.collections ?? new Map();
    this.listed = [...this.collections.keys()];
    this.isUnsaid = file?.fallback === undefined && !options.production;
    this.fallback = file?.fallback ?? (options.production ? closedEntry : openEntry);
    this.claims = claimNames([...this.collections.values(), this.fallback]);
    this.reads = file && readsOf([...this.collections, ['*', this.fallback]]);
    this.onOpen = options.onOpen ?? (() => undefined);
  }

  readQuery(collection: CollectionName, author: Author): BoundQuery {
    return this.entry(collection).read.bind(author).query;
  }

  canRead(collection: CollectionName, author: Author, document: Document): boolean {
    return this.entry(collection).read.bind(author).matches(document);
  }

  readRights({ claims }: Author): string | undefined {
    if (this.reads === undefined) return undefined;
    const values = this.reads.claims.map((name) => claims[name]);
    return createHash('sha256')
      .update(this.reads.texts)
      .update(JSON.stringify(values))
      .digest('hex')
      .slice(0, rightsDigits);
  }

  writeFault(collection: CollectionName, author: Author, images: Images): WriteFault | undefined {
    const entry = this.entry(collection);
    if (!isAllowed(entry, author, images)) {
      // Not the verb and not the image: they would tell whether a document exists that the author may not see.
      return { code: 'forbidden', error: `the rules forbid this change in ${collection}` };
    }
    const error = images.after === null ? undefined : entry.schemaFault?.(images.after);
    return error === undefined ? undefined : { code: 'schema_violation', error };
  }

  settings(collection: CollectionName): CollectionRules {
    return this.collections.get(collection) ?? this.fallback;
  }

  claimsFor(userId: UserId, claims: Readonly<Record<string, unknown>>): Readonly<Record<string, Json>> {
    const kept: [string, Json][] = [];
    for (const name of this.claims) {
      const value = Object.hasOwn(claims, name) ? jsonClaim(claims[name]) : undefined;
      if (value !== undefined) kept.push([name, value]);
    }
    return Object.fromEntries([...kept, ['sub', userId]]);
  }

  private entry(collection: CollectionName): CollectionEntry {
    const listed = this.collections.get(collection);
    if (listed !== undefined) return listed;
    if (!isClientName(collection)) return closedEntry;
    if (this.isUnsaid) this.tell(collection);
    return this.fallback;
  }

  private tell(collection: CollectionName): void {
    if (this.told.has(collection) || this.told.size >= maxOpenNames) return;
    this.told.add(collection);
    this.onOpen(collection);
  }
}

function isAllowed(entry: CollectionEntry, author: Author, { before, after }: Images): boolean {
  if (before === null && after === null) return entry.delete.bind(author).isOpen;
  if (before === null) return after !== null && entry.insert.bind(author).matches(after);
  if (after === null) return entry.delete.bind(author).matches(before);
  const { matches } = entry.update.bind(author);
  return matches(before) && matches(after);
}

const closedEntry: CollectionEntry = {
  read: closedRule,
  insert: closedRule,
  update: closedRule,
  delete: closedRule,
  merge: 'document',
  indexes: [],
};

const openEntry: CollectionEntry = {
  ...closedEntry,
  read: openRule,
  insert: openRule,
  update: openRule,
  delete: openRule,
};

function readsOf(entries: readonly (readonly [name: string, entry: CollectionEntry])[]) {
  const texts = JSON.stringify(entries.map(([name, { read }]) => [name, read.text]).sort());
  return { texts, claims: [...new Set(entries.flatMap(([, { read }]) => read.claims))].sort() };
}

function claimNames(entries: readonly CollectionEntry[]): readonly string[] {
  return [...new Set(entries.flatMap((entry) => verbs.flatMap((verb) => entry[verb].claims)))];
}

/** Listed names were checked when the file was read; the others come from anywhere. */
function isClientName(collection: CollectionName): boolean {
  try {
    parseCollectionName(collection);
    return true;
  } catch {
    return false;
  }
}
