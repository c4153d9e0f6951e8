import {
  brandAs,
  type ChangeId,
  type CollectionName,
  type Document,
  type DocumentKey,
  type Entry,
  type Epoch,
  type HistoryId,
  type JsonObject,
  type Lane,
  laneOf,
  type Operation,
  type Position,
  type Seq,
  type SocketId,
  type UserId,
} from '@tidemark/protocol';
import { compile } from '@tidemark/rql';
import {
  type DocumentStore,
  type DocumentsPage,
  type DocumentsRead,
  type LaneEpoch,
  type LaneHead,
  type LogRead,
  type LogStore,
  StoreError,
  type TideStore,
} from '@tidemark/storage';

export interface Write {
  readonly operation: Operation;
  readonly collection?: string;
  readonly id: string;
  readonly data?: JsonObject;
  readonly unset?: readonly string[];
  readonly author?: string;
  readonly origin?: string;
  readonly emitTo?: readonly string[];
}

interface LaneLog {
  readonly entries: Entry[];
  base: number;
  trimmed: number;
}

export interface MemoryHistoryOptions {
  readonly lanes?: number;
  /** Comes before and after every read: what may happen meanwhile. */
  readonly delay?: () => Promise<void>;
}

/**
 * What a gateway reads, in memory: documents, log and tides that are always consistent with each other, since a commit is one
 * step. Reads take their time before and after they look, as those of a database do; so a test sees every interleaving.
 */
export class MemoryHistory implements LogStore, DocumentStore, TideStore {
  readonly history: { readonly id: HistoryId; epochs: LaneEpoch[] };
  /** Thrown by the next reads, one each. */
  readonly faults: Error[] = [];
  /** Calls by name. */
  readonly calls: Record<string, number> = {};
  private readonly documents = new Map<CollectionName, Map<DocumentKey, Document>>();
  private readonly logs = new Map<Epoch, LaneLog[]>();
  private readonly tides = new Map<number, string>();
  private readonly delay: () => Promise<void>;
  private clock = 1_000_000;

  constructor({ lanes = 1, delay = async () => undefined }: MemoryHistoryOptions = {}) {
    this.delay = delay;
    this.history = { id: brandAs<HistoryId>('0b52ad5c-9d0f-4d43-8f13-7a0fdc3b3a7e'), epochs: [] };
    this.startEpoch(lanes);
  }

  get epoch(): LaneEpoch {
    const last = this.history.epochs.at(-1);
    if (last === undefined) throw new Error('no epoch');
    return last;
  }

  /** Another number of lanes, as after a restart with another LANES. */
  startEpoch(lanes: number): void {
    const last = this.history.epochs.at(-1);
    const base = last === undefined ? 0 : Math.max(...this.position().seqs);
    const epoch = brandAs<Epoch>((last?.epoch ?? 0) + 1);
    this.history.epochs.push({ epoch, lanes, base: brandAs<Seq>(base) });
    this.logs.set(
      epoch,
      Array.from({ length: lanes }, () => ({ entries: [], base, trimmed: base })),
    );
  }

  /** Commits a write; last write wins, so it always applies. Undefined when nothing changed. */
  commit(write: Write): Entry | undefined {
    const collection = brandAs<CollectionName>(write.collection ?? 'tasks');
    const key = brandAs<DocumentKey>(write.id);
    const documents = this.documents.get(collection) ?? new Map<DocumentKey, Document>();
    this.documents.set(collection, documents);
    const before = documents.get(key) ?? null;
    if (write.operation === 'delete' && before === null) return undefined;
    const lane = laneOf(collection, key, this.epoch.lanes);
    const log = this.lane(this.epoch.epoch, lane);
    const seq = brandAs<Seq>(log.base + log.entries.length + 1);
    const author = brandAs<UserId>(write.author ?? 'writer');
    const timestamp = this.clock++;
    const after = nextDocument(before, write, { sync_updated_at: timestamp, _updated_by: author, sync_version: seq });
    if (after === null) documents.delete(key);
    else documents.set(key, after);
    const isPatch = write.operation === 'update';
    const entry: Entry = {
      epoch: this.epoch.epoch,
      lane,
      seq,
      author,
      id: brandAs<ChangeId>(`c${timestamp}`),
      ...(write.origin !== undefined && { origin: brandAs<SocketId>(write.origin) }),
      operation: write.operation,
      collection,
      documentId: write.id,
      key,
      ...(isPatch && { data: write.data ?? {}, unset: write.unset ?? [] }),
      before,
      after,
      timestamp,
      committedAt: timestamp,
      ...(write.emitTo && { emitTo: write.emitTo.map((user) => brandAs<UserId>(user)) }),
    };
    log.entries.push(entry);
    return entry;
  }

  /** The heads, at once. */
  position(epoch: Epoch = this.epoch.epoch): Position {
    const logs = this.logs.get(epoch) ?? [];
    return { epoch, seqs: logs.map(({ base, entries }) => brandAs<Seq>(base + entries.length)) };
  }

  /** All documents as they were at a position, by collection and key. */
  stateAt(position: Position): Map<string, Document> {
    const state = new Map<string, Document>();
    for (const { epoch } of this.history.epochs) {
      if (epoch > position.epoch) break;
      (this.logs.get(epoch) ?? []).forEach(({ entries, base }, lane) => {
        const until = epoch < position.epoch ? entries.length : (position.seqs[lane] ?? 0) - base;
        for (const { collection, key, after } of entries.slice(0, until)) {
          if (after === null) state.delete(`${collection}/${key}`);
          else state.set(`${collection}/${key}`, after);
        }
      });
    }
    return state;
  }

  /** The store forgets the log up to a seq; `stateAt` does not. */
  trim(lane: number, upTo: number, epoch: Epoch = this.epoch.epoch): void {
    const log = this.lane(epoch, lane);
    log.trimmed = Math.max(log.trimmed, Math.min(upTo, log.base + log.entries.length));
  }

  async heads(epoch: Epoch): Promise<readonly LaneHead[]> {
    return this.slowly('heads', () =>
      (this.logs.get(epoch) ?? []).map(({ base, entries, trimmed }, lane) => ({
        lane: brandAs<Lane>(lane),
        head: brandAs<Seq>(base + entries.length),
        trimmed: brandAs<Seq>(trimmed),
      })),
    );
  }

  async readLog({ epoch, lane, after, limit }: LogRead): Promise<readonly Entry[]> {
    return this.slowly('readLog', () => {
      const log = this.lane(epoch, lane);
      if (after < log.trimmed) throw new StoreError('trimmed', 'the log was trimmed');
      return log.entries.slice(after - log.base, after - log.base + limit);
    });
  }

  async readDocuments({ collection, query, after, limit }: DocumentsRead): Promise<DocumentsPage> {
    return this.slowly('readDocuments', () => {
      const matches = compile(query);
      const keys = [...(this.documents.get(collection)?.keys() ?? [])].sort();
      const documents: Document[] = [];
      let last: DocumentKey | undefined;
      for (const key of keys) {
        const document = this.documents.get(collection)?.get(key);
        if (document === undefined || (after !== undefined && key <= after) || !matches(document)) continue;
        if (documents.length === limit) return { documents, next: last };
        documents.push(document);
        last = key;
      }
      return { documents, next: undefined };
    });
  }

  canonical(fields: JsonObject): JsonObject {
    return fields;
  }

  async collections(): Promise<readonly CollectionName[]> {
    return this.slowly('collections', () => [...this.documents.keys()].sort());
  }

  async recordTide(time: number, token: string): Promise<boolean> {
    return this.slowly('recordTide', () => {
      if (this.tides.has(time)) return false;
      this.tides.set(time, token);
      return true;
    });
  }

  async findTide(time: number): Promise<{ time: number; token: string } | undefined> {
    return this.slowly('findTide', () => {
      const found = Math.max(...[...this.tides.keys()].filter((row) => row <= time));
      const token = this.tides.get(found);
      return token === undefined ? undefined : { time: found, token };
    });
  }

  private lane(epoch: Epoch, lane: number): LaneLog {
    const log = this.logs.get(epoch)?.[lane];
    if (log === undefined) throw new StoreError('invalid', `no lane ${lane}`);
    return log;
  }

  private async slowly<T>(name: string, look: () => T): Promise<T> {
    this.calls[name] = (this.calls[name] ?? 0) + 1;
    await this.delay();
    const fault = this.faults.shift();
    if (fault !== undefined) throw fault;
    const result = look();
    await this.delay();
    return result;
  }
}

function nextDocument(before: Document | null, write: Write, metadata: Partial<Document>): Document | null {
  if (write.operation === 'delete') return null;
  const fields: Record<string, unknown> = write.operation === 'update' ? { ...before } : {};
  Object.assign(fields, write.data);
  for (const name of write.unset ?? []) delete fields[name];
  return { ...fields, ...metadata, _id: write.id } as Document;
}
