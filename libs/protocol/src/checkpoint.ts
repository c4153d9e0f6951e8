import { z } from 'zod';
import { brandAs, type CollectionName, type DocumentKey, type Epoch, type HistoryId, type Seq } from './ids.ts';
import { limits } from './limits.ts';

/** For every lane of an epoch the seq up to which everything was seen. `seqs[lane]`. */
export interface Position {
  readonly epoch: Epoch;
  readonly seqs: readonly Seq[];
}

/** Where the listing of documents stands that goes before history in `sync:get_changes`: the last document listed. */
export interface ListingCursor {
  readonly collection: CollectionName;
  readonly after: DocumentKey | undefined;
}

/** The tidemark of a client. With a `listing` it is only a bookmark of `sync:get_changes`. */
export interface Checkpoint {
  readonly historyId: HistoryId;
  readonly position: Position;
  readonly listing?: ListingCursor;
  /**
   * The holder has documents that were read at or before this position, later than `position`: until it is reached,
   * updates are sent whole. `wholeThrough[lane]`, of the same epoch.
   */
  readonly wholeThrough?: readonly Seq[];
}

const seq = z.int().min(0);
const tokenV1 = z.strictObject({
  h: z.string().min(1).max(64),
  e: z.int().min(1),
  s: z.array(seq).min(1).max(1024),
  w: z.array(seq).min(1).max(1024).optional(),
  l: z.tuple([z.string(), z.string().nullable()]).optional(),
});

/** Opaque text: format version, dot, base64url of JSON. Clients keep it, never read it. */
export function encodeCheckpoint(checkpoint: Checkpoint): string {
  const { historyId, position, listing, wholeThrough } = checkpoint;
  const body: z.infer<typeof tokenV1> = { h: historyId, e: position.epoch, s: [...position.seqs] };
  if (wholeThrough) body.w = [...wholeThrough];
  if (listing) body.l = [listing.collection, listing.after ?? null];
  return `1.${toBase64Url(JSON.stringify(body))}`;
}

/** The checkpoint in a token, or undefined when it is none that any version of the server made. */
export function decodeCheckpoint(token: string): Checkpoint | undefined {
  if (!token.startsWith('1.') || token.length > limits.checkpoint) return undefined;
  const parsed = tokenV1.safeParse(parseJson(fromBase64Url(token.slice(2))));
  if (!parsed.success) return undefined;
  const { h, e, s, w, l } = parsed.data;
  return {
    historyId: brandAs<HistoryId>(h),
    position: { epoch: brandAs<Epoch>(e), seqs: s.map((value) => brandAs<Seq>(value)) },
    ...(w && { wholeThrough: w.map((value) => brandAs<Seq>(value)) }),
    ...(l && {
      listing: {
        collection: brandAs<CollectionName>(l[0]),
        after: l[1] === null ? undefined : brandAs<DocumentKey>(l[1]),
      },
    }),
  };
}

function toBase64Url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}

function fromBase64Url(text: string): string {
  return Buffer.from(text, 'base64url').toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
