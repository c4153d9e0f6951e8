import {
  type ChangesPageMessage,
  type Checkpoint,
  type CollectionName,
  type DeliveredMessage,
  decodeCheckpoint,
  type Entry,
  encodeCheckpoint,
  type Json,
  type ListingCursor,
  type Millis,
  type Position,
  SyncError,
} from '@tidemark/protocol';
import { type BoundQuery, compile, type Predicate } from '@tidemark/rql';
import type { DocumentStore } from '@tidemark/storage';
import { approximateJsonBytes } from '../approximate-json-bytes.ts';
import type { FanOut } from './fan-out.ts';
import { describeFault, type HistoryReader } from './history-reader.ts';
import { hasReached, positionAfter } from './position.ts';
import type { TideBook } from './tide-book.ts';
import { asInsert, EntryMessages, effectOf } from './view-change.ts';
import { isWithin } from './whole-through.ts';

export interface ChangesPagesDeps {
  readonly documents: DocumentStore;
  readonly reader: HistoryReader;
  readonly fanOut: FanOut;
  readonly tides: TideBook;
  readonly readHeads: () => Promise<Position>;
}

/** One request for a page. */
export interface PageRequest {
  /** Undefined: every collection. */
  readonly collection: CollectionName | undefined;
  /** Filter AND read rule. */
  readonly queryOf: (collection: CollectionName) => BoundQuery;
  /** Fingerprint of the read rule. */
  readonly rights: string | undefined;
  readonly checkpoint: string | undefined;
  readonly since: Millis | undefined;
  readonly limit: number;
}

/** How far a reader of pages is: documents first (`listing`), then history from `position`. */
type Bookmark = Pick<Checkpoint, 'position' | 'listing' | 'wholeThrough'>;

interface PageState {
  mark: Bookmark;
  readonly changes: DeliveredMessage[];
  readonly predicates: Map<CollectionName, Predicate>;
  readonly until: Position;
  bytes: number;
  /** Entries of the next read, at least: grows while reads bring nothing. */
  span: number;
}

/** Entries that one call looks through, matching or not: bounds the work of a page. */
const maxScanned = 20_000;
/** Of one read, as long as no more are wanted. */
const maxSpan = 500;
/** A page of large documents ends early. */
const maxPageBytes = 4 * 1024 * 1024;

/** `sync:get_changes`: documents as they stand, then history, page by page; nothing is missed whatever is written meanwhile. */
export class ChangesPages {
  private readonly deps: ChangesPagesDeps;

  constructor(deps: ChangesPagesDeps) {
    this.deps = deps;
  }

  /** Throws SyncError `reset_required`, StoreError. */
  async page(request: PageRequest): Promise<ChangesPageMessage> {
    const { fanOut, reader, tides } = this.deps;
    await fanOut.reach(await this.deps.readHeads());
    const start = await this.start(request);
    const empty = { changes: [], predicates: new Map(), bytes: 0, span: 1 };
    const state: PageState = { mark: start, until: fanOut.position, ...empty };
    await this.fill(state, request);
    const { rights } = request;
    const checkpoint = encodeCheckpoint({ historyId: reader.historyId, ...state.mark, ...(rights && { rights }) });
    return {
      success: true,
      changes: state.changes,
      latestTimestamp: await tides.timeOf(checkpoint),
      checkpoint,
      hasMore: state.mark.listing !== undefined || !hasReached(state.mark.position, state.until),
      count: state.changes.length,
    };
  }

  private async fill(state: PageState, request: PageRequest): Promise<void> {
    let scanned = 0;
    while (!isFull(state, request) && scanned < maxScanned) {
      if (state.mark.listing !== undefined) {
        await this.list(state, request, state.mark.listing);
      } else {
        const read = await this.readHistory(state, request);
        if (read === 0) return;
        scanned += read;
      }
    }
  }

  private async start(request: PageRequest): Promise<Bookmark> {
    if (request.checkpoint !== undefined) return this.fromCheckpoint(request, request.checkpoint);
    if (request.since) return (await this.fromTime(request, request.since)) ?? this.beginning(request);
    return this.beginning(request);
  }

  private async fromCheckpoint(request: PageRequest, token: string): Promise<Bookmark> {
    const checkpoint = decodeCheckpoint(token);
    const fault = await this.deps.reader.faultOf(checkpoint, request.rights);
    if (fault !== undefined || checkpoint === undefined) {
      throw new SyncError('reset_required', describeFault(fault ?? 'unknown'));
    }
    return bookmarkFor(request, checkpoint);
  }

  /** The last tide at or before; a bookmark of somebody's listing means only its position to others. */
  private async fromTime(request: PageRequest, since: Millis): Promise<Bookmark | undefined> {
    const tide = await this.deps.tides.find(since);
    const checkpoint =
      tide === undefined
        ? { historyId: this.deps.reader.historyId, position: this.deps.reader.origin() }
        : decodeCheckpoint(tide.token);
    // Other tides say nothing of rights: they were not handed out to anybody, or to somebody else.
    const isOwn = tide?.time === since;
    const rights = isOwn ? request.rights : checkpoint?.rights;
    if (checkpoint === undefined || (await this.deps.reader.faultOf(checkpoint, rights)) !== undefined)
      return undefined;
    return isOwn ? bookmarkFor(request, checkpoint) : { position: checkpoint.position };
  }

  private async beginning(request: PageRequest): Promise<Bookmark> {
    const position = this.deps.fanOut.position;
    const first = request.collection ?? (await this.deps.documents.collections())[0];
    return first === undefined ? { position } : { position, listing: { collection: first, after: undefined } };
  }

  private async list(state: PageState, request: PageRequest, listing: ListingCursor): Promise<void> {
    const limit = request.limit - state.changes.length;
    const query = request.queryOf(listing.collection);
    const page = await this.deps.documents.readDocuments({
      collection: listing.collection,
      query,
      after: listing.after,
      limit,
    });
    for (const document of page.documents) add(state, asInsert(listing.collection, document));
    const { position } = state.mark;
    if (page.next !== undefined) {
      state.mark = { position, listing: { collection: listing.collection, after: page.next } };
      return;
    }
    const next = request.collection === undefined ? await this.collectionAfter(listing.collection) : undefined;
    if (next !== undefined) state.mark = { position, listing: { collection: next, after: undefined } };
    else state.mark = await this.endOfListing(position);
  }

  private async collectionAfter(collection: CollectionName): Promise<CollectionName | undefined> {
    return (await this.deps.documents.collections()).find((other) => other > collection);
  }

  /** Documents were read up to now: until then, history is sent whole. */
  private async endOfListing(position: Position): Promise<Bookmark> {
    const heads = await this.deps.readHeads();
    const isPast = position.epoch !== heads.epoch || hasReached(position, heads);
    return isPast ? { position } : { position, wholeThrough: heads.seqs };
  }

  /** How many entries were read. */
  private async readHistory(state: PageState, request: PageRequest): Promise<number> {
    const { position, wholeThrough } = state.mark;
    if (hasReached(position, state.until)) return 0;
    const limit = Math.max(request.limit - state.changes.length, state.span);
    const { entries, position: end } = await this.deps.reader.read(position, state.until, limit);
    const taken = this.take(entries, state, request);
    const reached = taken < entries.length ? positionAfter(position, entries.slice(0, taken)) : end;
    const isPast =
      wholeThrough === undefined ||
      reached.epoch !== position.epoch ||
      hasReached(reached, { epoch: position.epoch, seqs: wholeThrough });
    state.mark = isPast ? { position: reached } : { position: reached, wholeThrough };
    return Math.max(taken, 1);
  }

  /** Adds what the request sees of the entries until the page is full. How many were looked at. */
  private take(entries: readonly Entry[], state: PageState, request: PageRequest): number {
    const before = state.changes.length;
    let taken = 0;
    for (const entry of entries) {
      if (isFull(state, request)) break;
      taken++;
      const message = this.project(entry, state, request);
      if (message !== undefined) add(state, message);
    }
    state.span = state.changes.length > before ? 1 : Math.min(Math.max(entries.length, state.span) * 2, maxSpan);
    return taken;
  }

  private project(entry: Entry, state: PageState, request: PageRequest): DeliveredMessage | undefined {
    if (request.collection !== undefined && entry.collection !== request.collection) return undefined;
    let matches = state.predicates.get(entry.collection);
    if (matches === undefined) {
      matches = compile(request.queryOf(entry.collection));
      state.predicates.set(entry.collection, matches);
    }
    const before = entry.before !== null && matches(entry.before);
    const effect = effectOf(entry, { before, after: entry.after !== null && matches(entry.after) });
    if (effect === undefined) return undefined;
    return new EntryMessages(entry).get(
      effect === 'patch' && isWithin(entry, wholePoint(state.mark)) ? 'whole' : effect,
    );
  }
}

function isFull(state: PageState, { limit }: PageRequest): boolean {
  return state.changes.length >= limit || state.bytes >= maxPageBytes;
}

function add(state: PageState, message: DeliveredMessage): void {
  state.changes.push(message);
  state.bytes += approximateJsonBytes((message.data ?? null) as Json);
}

function wholePoint({ position, wholeThrough }: Bookmark): Position | undefined {
  return wholeThrough && { epoch: position.epoch, seqs: wholeThrough };
}

/** Where the request goes on. The listing of another collection says nothing of this one, which is listed from its start. */
function bookmarkFor({ collection }: PageRequest, { position, listing, wholeThrough }: Checkpoint): Bookmark {
  const isOther = listing !== undefined && collection !== undefined && listing.collection !== collection;
  const own = isOther ? { collection, after: undefined } : listing;
  return { position, ...(own && { listing: own }), ...(wholeThrough && { wholeThrough }) };
}
