import { setImmediate } from 'node:timers/promises';
import { type CollectionName, documentKey } from '@tidemark/protocol';
import type { Logger } from '@tidemark/telemetry';
import { storedCollections } from './document-reader.ts';
import { scannedRows } from './document-rows.ts';
import type { Environment, RowWrite } from './environment.ts';
import { CollectionIndexes, type IndexCatalog, type IndexRecord, recordedCollections } from './index-catalog.ts';
import { indexPrefix } from './keys.ts';
import { decodeOrdered } from './ordered-text.ts';
import { decodeDocument, isTombstoneRow } from './rows.ts';

const rowsPerCommit = 2_000;

/**
 * Brings the indexes of every stored collection to what is declared. A build that is cut off is done again:
 * a path counts as indexed only after its last row is on disk.
 */
export async function buildIndexes(
  environment: Environment,
  catalog: IndexCatalog,
  logger?: Pick<Logger, 'info'>,
): Promise<void> {
  const { tables } = environment;
  const collections = new Set([...storedCollections(tables), ...recordedCollections(tables, decodeOrdered)]);
  for (const collection of collections) await new IndexBuild({ environment, catalog, logger }, collection).run();
}

interface IndexBuildDeps {
  readonly environment: Environment;
  readonly catalog: IndexCatalog;
  readonly logger: Pick<Logger, 'info'> | undefined;
}

class IndexBuild {
  readonly #environment: Environment;
  readonly #catalog: IndexCatalog;
  readonly #logger: Pick<Logger, 'info'> | undefined;
  readonly #collection: CollectionName;

  constructor({ environment, catalog, logger }: IndexBuildDeps, collection: CollectionName) {
    this.#environment = environment;
    this.#catalog = catalog;
    this.#logger = logger;
    this.#collection = collection;
  }

  async run(): Promise<void> {
    const declared = this.#catalog.declared(this.#collection);
    const record = this.#catalog.record(this.#collection);
    const { paths, unfinished } = record ?? { paths: [], unfinished: [] };
    const kept = paths.filter((path) => declared.includes(path));
    const missing = declared.filter((path) => !kept.includes(path));
    const stale = [...new Set([...unfinished, ...paths.filter((path) => !kept.includes(path)), ...missing])];
    if (record && stale.length === 0) return;
    if (stale.length > 0) {
      this.#logger?.info({ collection: this.#collection, indexes: declared }, 'indexes are rebuilt');
      await this.#save({ paths: kept, unfinished: stale });
      for (const path of stale) await this.#drop(path);
      if (missing.length > 0) await this.#fill(missing);
    }
    await this.#save({ paths: [...kept, ...missing], unfinished: [] });
  }

  async #save(record: IndexRecord): Promise<void> {
    await this.#environment.commit([this.#catalog.recordWrite(this.#collection, record)]);
  }

  async #drop(path: string): Promise<void> {
    const { index } = this.#environment.tables;
    const prefix = indexPrefix(this.#collection, path);
    const range = { start: prefix, end: `${prefix}\u00ff\u00ff`, limit: rowsPerCommit };
    for (;;) {
      const writes: RowWrite[] = Array.from(index.getKeys(range), (key) => ({ table: index, key, value: undefined }));
      if (writes.length === 0) return;
      await this.#environment.commit(writes);
    }
  }

  async #fill(paths: readonly string[]): Promise<void> {
    const indexes = new CollectionIndexes(this.#environment.tables, this.#collection, paths);
    const rows = scannedRows(this.#environment.tables, { collection: this.#collection });
    for (;;) {
      const writes: RowWrite[] = [];
      for (const row of rows) {
        if (!isTombstoneRow(row)) writes.push(...rowsOf(indexes, row));
        if (writes.length >= rowsPerCommit) break;
      }
      if (writes.length === 0) return;
      await this.#environment.commit(writes);
      await setImmediate();
    }
  }
}

function rowsOf(indexes: CollectionIndexes, row: string): readonly RowWrite[] {
  const document = decodeDocument(row);
  return indexes.changes(documentKey(document._id), undefined, { kind: 'document', document });
}
