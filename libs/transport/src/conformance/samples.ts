import {
  brandAs,
  type ChangeId,
  type CollectionName,
  type DocumentKey,
  type Entry,
  type Epoch,
  type GatewayId,
  type JobId,
  type Json,
  type Lane,
  type Seq,
  type UserId,
  type WriteRequest,
} from '@tidemark/protocol';
import type { FeedMessage, WriteJob, WriteReply } from '../port.ts';

export const lane = (index: number): Lane => brandAs<Lane>(index);
export const gateway = (name: string): GatewayId => brandAs<GatewayId>(name);
const epoch = brandAs<Epoch>(1);
const collection = brandAs<CollectionName>('tasks');
const key = (id: string): DocumentKey => brandAs<DocumentKey>(`s:${id}`);

/** A request with one change that says `text`, of the author `ada`. */
function request(id: string, text: Json): WriteRequest {
  return {
    author: { userId: brandAs<UserId>('ada'), claims: { team: ['red', 'blue'], level: 3 } },
    origin: undefined,
    atomic: false,
    emitTo: undefined,
    changes: [
      {
        id: brandAs<ChangeId>(id),
        operation: 'update',
        collection,
        documentId: id,
        key: key(id),
        data: { text, count: 1, nested: { list: [1, null, { deep: true }] } },
        unset: ['old'],
        timestamp: 1_760_000_000_000,
        version: undefined,
      },
    ],
  };
}

export function job(id: string, options: { lane?: number; text?: Json; changes?: number } = {}): WriteJob {
  const text = options.text ?? `text of ${id}`;
  return {
    id: brandAs<JobId>(id),
    gateway: gateway('gateway-1'),
    epoch,
    lane: lane(options.lane ?? 0),
    requests: Array.from({ length: options.changes ?? 1 }, (_, index) => request(`${id}.${index}`, text)),
  };
}

export function feed(seq: number, options: { lane?: number; text?: Json } = {}): FeedMessage {
  return {
    epoch,
    lane: lane(options.lane ?? 0),
    head: brandAs<Seq>(seq),
    entries: [entry(seq, options)],
  };
}

function entry(seq: number, options: { lane?: number; text?: Json }): Entry {
  const id = `document-${seq}`;
  return {
    epoch,
    lane: lane(options.lane ?? 0),
    seq: brandAs<Seq>(seq),
    author: brandAs<UserId>('ada'),
    id: brandAs<ChangeId>(`change-${seq}`),
    operation: 'insert',
    collection,
    documentId: id,
    key: key(id),
    before: null,
    after: { _id: id, text: options.text ?? 'short', sync_version: seq },
    timestamp: 1_760_000_000_000,
    committedAt: 1_760_000_000_001,
  };
}

export function reply(id: string): WriteReply {
  return {
    job: brandAs<JobId>(id),
    outcomes: [
      [
        {
          kind: 'applied',
          changeId: brandAs<ChangeId>(`${id}.0`),
          timestamp: 1_760_000_000_002,
          lane: lane(0),
          seq: brandAs<Seq>(7),
        },
      ],
      [{ kind: 'superseded', changeId: brandAs<ChangeId>(`${id}.1`), timestamp: 1_760_000_000_003, current: null }],
    ],
  };
}
