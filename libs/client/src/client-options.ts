import type { Millis } from '@tidemark/protocol/core';
import type { Clock } from './clock.ts';
import type { BackoffSettings } from './connection/backoff.ts';
import type { SocketFactory } from './connection/socket.ts';
import type { LocalStore } from './local/port.ts';
import type { SubscriptionRecord } from './local/records.ts';
import type { TokenSource } from './sync/engine.ts';
import type { SubscriptionState } from './sync/subscription-set.ts';
import type { ShareStore } from './tabs/shared-driver.ts';

export interface ClientOptions {
  /** Of the server, such as `https://sync.example.org`. */
  readonly url: string;
  /** A token, or a function that gets a fresh one. A development server also takes a bare `userId`. */
  readonly auth?: { readonly token?: TokenSource; readonly userId?: string };
  /** Where data is kept between runs, one store per user; in memory only by default. The client closes it. */
  readonly store?: LocalStore;
  /** Other tabs that use the same store (`webTabs`): then one of them has the connection, and all see the same. */
  readonly tabs?: ShareStore;
  /** Whether to connect at once; true by default, else `resume()` connects. */
  readonly connect?: boolean;
  /** Writes that may wait for the server; 10,000 by default. */
  readonly maxPending?: number;
  /** A subscription that no program has asked for since is dropped; 7 days by default. */
  readonly keepUnclaimedMs?: Millis;
  readonly backoff?: BackoffSettings;
  /** How long an answer of the server may take; 30 s by default. */
  readonly requestTimeoutMs?: Millis;
  /** Replaced by tests. */
  readonly socket?: SocketFactory;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** A look inside for tools such as the devtools panel. */
export interface ClientInspection {
  /** Undefined until a server has said so. */
  readonly userId: string | undefined;
  readonly clientId: string;
  /** The token that a reconnect resumes from. */
  readonly checkpoint: string | undefined;
  readonly subscriptions: readonly (SubscriptionRecord & { readonly state: SubscriptionState })[];
}
