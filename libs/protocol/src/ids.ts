declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** Index of an ordered slice of history, 0 … LANES-1, within an epoch. */
export type Lane = Branded<number, 'Lane'>;
/** Position in a lane: grows by one per entry, without gaps. 0 is "before the first". */
export type Seq = Branded<number, 'Seq'>;
/** Generation of the lane layout; a change of LANES starts the next one. The first is 1. */
export type Epoch = Branded<number, 'Epoch'>;
export type HistoryId = Branded<string, 'HistoryId'>;
export type UserId = Branded<string, 'UserId'>;
/** Chosen by the author; identifies the change together with the author. */
export type ChangeId = Branded<string, 'ChangeId'>;
export type CollectionName = Branded<string, 'CollectionName'>;
/** Canonical text of a document id, see document-id.ts. Never shown to clients. */
export type DocumentKey = Branded<string, 'DocumentKey'>;
export type GatewayId = Branded<string, 'GatewayId'>;
/** One connected socket, unique over all gateways. */
export type SocketId = Branded<string, 'SocketId'>;
export type JobId = Branded<string, 'JobId'>;
/** Milliseconds since 1970, UTC. */
export type Millis = number;

/** The only way to make a branded value from a plain one: call it where the value was checked. */
export function brandAs<B extends string | number>(value: B extends string ? string : number): B {
  return value as unknown as B;
}
