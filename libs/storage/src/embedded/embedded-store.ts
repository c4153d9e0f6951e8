import type { CollectionName, Entry, Epoch, JsonObject, Millis } from '@tidemark/protocol';
import type { Logger } from '@tidemark/telemetry';
import type {
  CommitPlan,
  DocumentsPage,
  DocumentsRead,
  History,
  LaneHead,
  LogRead,
  Snapshot,
  Store,
  TransactionRequest,
  TrimRequest,
} from '../port.ts';
import { StoreError } from '../store-error.ts';
import { Committer, readRow } from './committer.ts';
import { DocumentReader } from './document-reader.ts';
import type { Environment } from './environment.ts';
import type { IndexCatalog } from './index-catalog.ts';
import { LogReader } from './log-reader.ts';
import type { OwnerFile } from './owner-file.ts';
import { findTide, recordTideJob } from './tide-table.ts';
import { type TransactionContext, transactionJob } from './transaction-job.ts';
import { trimJob } from './trimmer.ts';

/** How many rows a trim takes into one commit: transactions wait for it. */
const trimStep = 200;

/** Size of the row that `check` writes after a failure: a few bytes would still find room on a full disk. */
const probeBytes = 65_536;

export interface EmbeddedStoreDeps {
  readonly environment: Environment;
  readonly owner: OwnerFile;
  readonly history: History;
  readonly catalog: IndexCatalog;
  readonly logger: Pick<Logger, 'error'> | undefined;
}

/**
 * The store of one process, in LMDB. What was read is on disk: neither documents nor entries nor heads are shown
 * before their commit is flushed, since an entry may go to clients and must then survive a crash.
 */
export class EmbeddedStore implements Store {
  readonly history: History;
  readonly #environment: Environment;
  readonly #owner: OwnerFile;
  readonly #committer: Committer;
  readonly #log: LogReader;
  readonly #documents: DocumentReader;
  readonly #context: TransactionContext;
  #closing: Promise<void> | undefined;

  constructor({ environment, owner, history, catalog, logger }: EmbeddedStoreDeps) {
    const { tables } = environment;
    this.history = history;
    this.#environment = environment;
    this.#owner = owner;
    this.#committer = new Committer(environment);
    this.#log = new LogReader(tables, history);
    const assertOpen = () => this.#committer.assertOpen();
    this.#documents = new DocumentReader({ tables, catalog, assertOpen, now: () => performance.now() });
    this.#context = { tables, catalog, epoch: currentEpoch(history) };
    void owner.lost.then(() => {
      logger?.error('the data directory has another owner: writing stops');
      // Another process believed this one dead. What it writes must not be mixed with ours.
      void this.#committer.close('the data directory has another owner now');
    });
  }

  transact<T>(
    request: TransactionRequest,
    decide: (snapshot: Snapshot) => { plan: CommitPlan; result: T },
  ): Promise<T> {
    return this.#committer.submit(transactionJob(this.#context, request, decide));
  }

  async heads(epoch: Epoch): Promise<readonly LaneHead[]> {
    this.#committer.assertOpen();
    return this.#log.heads(epoch);
  }

  async readLog(read: LogRead): Promise<readonly Entry[]> {
    this.#committer.assertOpen();
    return this.#log.read(read);
  }

  readDocuments(read: DocumentsRead): Promise<DocumentsPage> {
    return this.#documents.read(read);
  }

  /** JSON is stored as it is. */
  canonical(fields: JsonObject): JsonObject {
    return fields;
  }

  async collections(): Promise<readonly CollectionName[]> {
    return this.#documents.collections();
  }

  recordTide(time: Millis, token: string): Promise<boolean> {
    return this.#committer.submit(recordTideJob(this.#environment.tables, time, token));
  }

  async findTide(time: Millis): Promise<{ readonly time: Millis; readonly token: string } | undefined> {
    this.#committer.assertOpen();
    return findTide(this.#environment.tables, time);
  }

  async trim({ before, limit }: TrimRequest): Promise<{ readonly trimmed: number; readonly done: boolean }> {
    const deps = { tables: this.#environment.tables, history: this.history };
    let trimmed = 0;
    while (trimmed < limit) {
      const step = Math.min(trimStep, limit - trimmed);
      const { count, isCut } = await this.#committer.submit(trimJob(deps, { before, limit: step }));
      trimmed += count;
      if (!isCut) return { trimmed, done: true };
    }
    return { trimmed, done: false };
  }

  async statistics(): Promise<{ readonly changes: number }> {
    this.#committer.assertOpen();
    return { changes: this.#log.changes() };
  }

  /** After a failed commit the answer is a write, so that a full disk is noticed, and its end too. */
  async check(): Promise<void> {
    const { meta } = this.#environment.tables;
    this.#committer.assertOpen();
    readRow(meta, 'check');
    if (this.#committer.lastFailure === undefined) return;
    const writes = [{ table: meta, key: 'check', value: ' '.repeat(probeBytes) }];
    await this.#committer.submit({ weight: 1, run: () => ({ writes, result: undefined }) });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#committer.close('the store is closed');
    await this.#environment.close();
    this.#owner.release();
  }
}

function currentEpoch(history: History): TransactionContext['epoch'] {
  const epoch = history.epochs.at(-1);
  if (!epoch) throw new StoreError('invalid', 'the history has no epoch');
  return epoch;
}
