import { brandAs, type CollectionName, type Document, type DocumentKey } from '@tidemark/protocol';
import { lookupKeys } from '@tidemark/rql';
import type { CollectionSettings, StoredState } from '../port.ts';
import { readRow, type View } from './committer.ts';
import type { RowWrite, Tables } from './environment.ts';
import { indexPrefix, indexValuePrefix } from './keys.ts';
import { encodeOrdered } from './ordered-text.ts';

const rowPrefix = 'indexes:';

/** What is known of a collection's indexes. Every collection that ever had a document has a row. */
export interface IndexRecord {
  /** Complete and kept up with every write. */
  readonly paths: readonly string[];
  /** Paths whose rows may be partial: left by a build that did not end. */
  readonly unfinished: readonly string[];
}

/** Which equality indexes there are; the rows of an index are (collection, path, value, document key). */
export class IndexCatalog {
  readonly tables: Tables;
  readonly #settings: (name: CollectionName) => CollectionSettings | undefined;

  constructor(tables: Tables, settings: (name: CollectionName) => CollectionSettings | undefined) {
    this.tables = tables;
    this.#settings = settings;
  }

  /** The paths that are to be indexed, once each. */
  declared(collection: CollectionName): readonly string[] {
    return [...new Set(this.#settings(collection)?.indexes ?? [])];
  }

  record(collection: CollectionName, view?: View): IndexRecord | undefined {
    const key = rowPrefix + encodeOrdered(collection);
    const row = view ? view.get(this.tables.meta, key) : readRow(this.tables.meta, key);
    return row === undefined ? undefined : (JSON.parse(row) as IndexRecord);
  }

  recordWrite(collection: CollectionName, record: IndexRecord): RowWrite {
    return { table: this.tables.meta, key: rowPrefix + encodeOrdered(collection), value: JSON.stringify(record) };
  }
}

/** Keeps the indexes of the collections of one transaction. */
export class IndexWriter {
  readonly #catalog: IndexCatalog;
  readonly #view: View;
  readonly #indexes = new Map<CollectionName, CollectionIndexes>();
  readonly #registrations: RowWrite[] = [];

  constructor(catalog: IndexCatalog, view: View) {
    this.#catalog = catalog;
    this.#view = view;
  }

  of(collection: CollectionName): CollectionIndexes {
    let indexes = this.#indexes.get(collection);
    if (!indexes) {
      indexes = new CollectionIndexes(this.#catalog.tables, collection, this.#paths(collection));
      this.#indexes.set(collection, indexes);
    }
    return indexes;
  }

  /** Rows for the collections that are new with this transaction. */
  registrations(): readonly RowWrite[] {
    return this.#registrations;
  }

  #paths(collection: CollectionName): readonly string[] {
    const record = this.#catalog.record(collection, this.#view);
    if (record) return record.paths;
    const paths = this.#catalog.declared(collection);
    this.#registrations.push(this.#catalog.recordWrite(collection, { paths, unfinished: [] }));
    return paths;
  }
}

/** The index rows of one collection's documents. */
export class CollectionIndexes {
  readonly paths: readonly string[];
  readonly #tables: Tables;
  readonly #prefixes: readonly { readonly path: string; readonly prefix: string }[];

  constructor(tables: Tables, collection: CollectionName, paths: readonly string[]) {
    this.#tables = tables;
    this.paths = paths;
    this.#prefixes = paths.map((path) => ({ path, prefix: indexPrefix(collection, path) }));
  }

  /** What to write when a document goes from one state to the next. */
  changes(key: DocumentKey, before: StoredState | undefined, after: StoredState | undefined): readonly RowWrite[] {
    const old = this.#rowKeys(key, before);
    const next = this.#rowKeys(key, after);
    const table = this.#tables.index;
    const removed = [...old].filter((row) => !next.has(row)).map((row) => ({ table, key: row, value: undefined }));
    const added = [...next].filter((row) => !old.has(row)).map((row) => ({ table, key: row, value: '' }));
    return [...removed, ...added];
  }

  #rowKeys(key: DocumentKey, state: StoredState | undefined): Set<string> {
    if (state?.kind !== 'document') return new Set();
    return this.#documentRowKeys(encodeOrdered(key), state.document);
  }

  #documentRowKeys(key: string, document: Document): Set<string> {
    const rows = new Set<string>();
    for (const { path, prefix } of this.#prefixes) {
      for (const value of lookupKeys(document, path)) rows.add(indexValuePrefix(prefix, value) + key);
    }
    return rows;
  }
}

/** Collections that have a record, in no particular order. */
export function* recordedCollections(tables: Tables, decode: (bytes: string) => string): Generator<CollectionName> {
  for (const key of tables.meta.getKeys({ start: rowPrefix, end: `${rowPrefix}\u00ff` })) {
    yield brandAs<CollectionName>(decode(key.slice(rowPrefix.length)));
  }
}
