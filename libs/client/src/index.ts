/**
 * The client: local writes and live queries, subscriptions, status. Runs in browsers and in Node, and depends on neither.
 * `docs/client.md` is the guide.
 *
 * @module client
 */
export type { Document, DocumentId, Json } from '@tidemark/protocol/core';
export { QueryError } from '@tidemark/rql';
export { Client, createClient } from './client.ts';
export { ClientError, type ClientErrorCode } from './client-error.ts';
export type { ClientInspection, ClientOptions } from './client-options.ts';
export { type Cancel, type Clock, systemClock } from './clock.ts';
export { Collection, type NewDocument, type UpdateOptions } from './collection.ts';
export type { BackoffSettings } from './connection/backoff.ts';
export type { ConnectionProblem } from './connection/machine.ts';
export type { SocketClosed, SocketFactory, SocketHandlers, SocketRequest, SyncSocket } from './connection/socket.ts';
export { socketIo } from './connection/socket-io.ts';
export type { Unsubscribe } from './emitter.ts';
export type { ClientEvents, ClientProblem, CompensatedWrite, SettledWrite, WriteOutcome } from './events.ts';
export { MemoryStore } from './local/memory-store.ts';
export { type LocalStore, LocalStoreError, type LocalStoreErrorCode } from './local/port.ts';
export type * from './local/records.ts';
export type { Write } from './local-writer.ts';
export type { Placed, QueryDiff, Replaced } from './query/diff.ts';
export type { LiveQuery, QueryResult } from './query/live-query.ts';
export type { SortDirection } from './query/sort.ts';
export type { ConnectionStatus, SyncStatus } from './status.ts';
export { Subscription } from './subscription.ts';
export type { SubscribeOptions } from './subscriptions.ts';
export type { TokenSource } from './sync/engine.ts';
export type { SubscriptionState } from './sync/subscription-set.ts';
export type { SharedDriver, ShareStore, TabClient } from './tabs/shared-driver.ts';
export type { WaitOptions } from './wait-for-sync.ts';
