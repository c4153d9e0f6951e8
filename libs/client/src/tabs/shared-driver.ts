import type { Clock } from '../clock.ts';
import type { Emitter } from '../emitter.ts';
import type { ClientEvents } from '../events.ts';
import type { LocalDatabase } from '../local/database.ts';
import type { LocalStore } from '../local/port.ts';
import type { StoredState, WriteBatch } from '../local/records.ts';
import type { SyncDriver } from '../sync/driver.ts';
import type { SubscriptionSet } from '../sync/subscription-set.ts';

/**
 * What a shared driver needs of its client.
 *
 * @internal
 */
export interface TabClient {
  readonly store: LocalStore;
  readonly clock: Clock;
  readonly database: LocalDatabase;
  readonly subscriptions: SubscriptionSet;
  readonly events: Emitter<ClientEvents>;
  /** Makes what keeps the client and the server in step; called when this tab leads. */
  readonly makeEngine: () => SyncDriver;
  /** Entries of another tab: they are not sent before they are stored. */
  readonly adopt: (ids: readonly string[]) => void;
  readonly flushed: () => Promise<void>;
  readonly changed: () => void;
  readonly caughtUp: () => void;
  readonly connects: boolean;
}

/**
 * Keeps a client and the server in step together with other clients of the same store.
 *
 * @internal
 */
export interface SharedDriver extends SyncDriver {
  /** This one has the connection and writes to the store. */
  readonly isLeading: boolean;
  /** What the programs of the others hold. */
  readonly claims: { isHeldElsewhere(id: string): boolean; tell(ids: readonly string[]): void };
  /** Reads the store. */
  load(): Promise<StoredState>;
  /** The database holds what was loaded. */
  loaded(): void;
  write(batch: WriteBatch): Promise<void>;
  tellState(): void;
  tellCaughtUp(): void;
  /** After the last write: another one may lead. */
  release(): void;
}

/** Joins those who share the client's store. Made by `webTabs`; its code is not part of a client that shares nothing. */
export type ShareStore = (client: TabClient) => SharedDriver;
