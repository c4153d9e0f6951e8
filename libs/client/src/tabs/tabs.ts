import type { ConnectionState } from '../connection/machine.ts';
import type { ClientEvents } from '../events.ts';
import type { WriteBatch } from '../local/records.ts';
import type { ConnectionCommand } from '../sync/driver.ts';
import type { SubscriptionState } from '../sync/subscription-set.ts';

/** Events that every tab tells its program. */
export const sharedEvents = [
  'compensated',
  'settled',
  'reset',
  'delivered',
  'problem',
] as const satisfies (keyof ClientEvents)[];
export type SharedEvent = {
  [Name in (typeof sharedEvents)[number]]: { name: Name; value: ClientEvents[Name] };
}[(typeof sharedEvents)[number]];

/** What tabs that share a store tell each other. */
export type TabMessage =
  /** A tab has come and wants to know where we stand. */
  | { readonly kind: 'hello' }
  /** A tab leads now: requests that the last leader has not answered are to be repeated. */
  | { readonly kind: 'leading' }
  /** The leader has written this to the store; the batch's meta says which revision it made. */
  | { readonly kind: 'written'; readonly batch: WriteBatch }
  /** Where the leader stands. A follower that is behind the revision reads the store. */
  | {
      readonly kind: 'state';
      readonly revision: number;
      readonly state: ConnectionState;
      readonly subscriptions: readonly (readonly [id: string, state: SubscriptionState])[];
    }
  | ({ readonly kind: 'event' } & SharedEvent)
  | { readonly kind: 'caughtUp' }
  /** A follower wants to know when everything has arrived. */
  | { readonly kind: 'mark'; readonly tab: string; readonly mark: number }
  /** The leader has heard of that mark: a `caughtUp` from now on is the answer. */
  | { readonly kind: 'marking'; readonly tab: string; readonly mark: number }
  /** A follower wants this written. */
  | { readonly kind: 'write'; readonly tab: string; readonly request: number; readonly batch: WriteBatch }
  | {
      readonly kind: 'done';
      readonly tab: string;
      readonly request: number;
      /** Writes that had been decided before: the store has what became of them, and nobody will tell of it again. */
      readonly decided: readonly string[];
      readonly error?: { readonly isFull: boolean; readonly message: string };
    }
  | { readonly kind: 'command'; readonly command: ConnectionCommand | 'reconcile' }
  /** The subscriptions that the program of a tab holds. */
  | { readonly kind: 'claims'; readonly tab: string; readonly ids: readonly string[] };

/** How the tabs of a store reach each other, and which of them leads. A test passes its own. */
export interface Tabs {
  /** Unlike any other tab's. */
  readonly id: string;
  /** To all others, in order; not to ourselves. */
  post(message: TabMessage): void;
  listen(listener: (message: TabMessage) => void): void;
  /** Leads at once if nobody does. Once it has resolved, the others can learn when this tab ends. */
  tryToLead(): Promise<boolean>;
  /** Resolves when this tab leads, which is when no other one does; never after `close`. */
  waitToLead(): Promise<void>;
  /** Resolves when the other tab is closed or has died, also long ago; never after `close`. */
  ended(tab: string): Promise<void>;
  /** Stops to lead and to listen. */
  close(): void;
}
