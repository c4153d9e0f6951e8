import type { Millis } from '@tidemark/protocol/core';
import type { Clock } from './clock.ts';
import type { BackoffSettings } from './connection/backoff.ts';
import type { SocketFactory } from './connection/socket.ts';
import type { LocalStore } from './local/port.ts';
import type { SubscriptionRecord } from './local/records.ts';
import type { TokenSource } from './sync/engine.ts';
import type { SubscriptionState } from './sync/subscription-set.ts';
import type { ShareStore } from './tabs/shared-driver.ts';

/** How a client is made: only `url` must be given, and `auth` where the server wants to know who it is. */
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
  /** Waits between attempts to connect, in ms: `baseMs` 500 after the first failure, doubled each time up to `maxMs` 30,000. */
  readonly backoff?: BackoffSettings;
  /** How long an answer of the server may take; 30 s by default. */
  readonly requestTimeoutMs?: Millis;
  /** How a connection is made; `socketIo()` by default, which takes options of Socket.IO. A test passes its own. */
  readonly socket?: SocketFactory;
  /** The machine's by default; a test passes its own. */
  readonly clock?: Clock;
  /** In [0, 1), for ids and waits; `Math.random` by default. */
  readonly random?: () => number;
}

/** A look inside for tools such as the devtools panel. */
export interface ClientInspection {
  /** Undefined until a server has said so. */
  readonly userId: string | undefined;
  /** Made with the local store; part of the ids of its changes. */
  readonly clientId: string;
  /** The token that a reconnect resumes from. */
  readonly checkpoint: string | undefined;
  /** Also those of earlier runs and other tabs. */
  readonly subscriptions: readonly (SubscriptionRecord & { readonly state: SubscriptionState })[];
}
