import { type Millis, parseCollectionName, SyncError, type UnsubscribeMessage, upMessages } from '@tidemark/protocol';
import type { Telemetry } from '@tidemark/telemetry';
import { groupKey } from '../read/group.ts';
import type { Stream } from '../read/stream.ts';
import type { Subscription } from '../read/subscription.ts';
import { type Door, refusal } from './door.ts';
import { parseMessage } from './parse-message.ts';
import { parseFilter, type Subscribing } from './subscribing.ts';

export interface SubscriptionDoorsDeps {
  readonly subscribing: Subscribing;
  readonly telemetry: Telemetry;
  readonly now: () => Millis;
}

/** The doors that change what a socket is sent. */
export function subscriptionDoors(deps: SubscriptionDoorsDeps): Readonly<Record<string, Door>> {
  return {
    'sync:subscribe': subscribeDoor(deps),
    'sync:unsubscribe': unsubscribeDoor(deps),
    'sync:update_subscriptions': updateDoor(deps),
    'sync:mark': markDoor(deps),
  };
}

function subscribeDoor({ subscribing }: SubscriptionDoorsDeps): Door {
  return {
    kind: 'ordered',
    async handle(connection, payload) {
      const session = connection.requireSession();
      const message = parseMessage(upMessages['sync:subscribe'], payload);
      const request = subscribing.parse(message, session.author);
      const { resumed, start } = await subscribing.add(connection, request, message.checkpoint ?? undefined);
      connection.subscriptionVersion++;
      const count = subscribing.countOn(connection.stream, request.collection);
      return { answer: { success: true, subscriptionId: request.id, resumed, count }, afterwards: start };
    },
    reword: withoutCollection,
    refuse: refusal,
  };
}

/** Old clients know this error by its words. */
function withoutCollection(error: SyncError, payload: unknown): SyncError {
  const collection = (payload as { collection?: unknown } | null | undefined)?.collection;
  const isMissing = collection === undefined || collection === null || collection === '';
  return error.code === 'invalid_message' && isMissing
    ? new SyncError('invalid_message', 'collection required')
    : error;
}

function unsubscribeDoor({ subscribing }: SubscriptionDoorsDeps): Door {
  return {
    kind: 'ordered',
    async handle(connection, payload) {
      const session = connection.requireSession();
      const message = parseMessage(upMessages['sync:unsubscribe'], payload);
      if (!message.subscriptionId) parseCollectionName(message.collection ?? undefined);
      const { stream } = connection;
      const ended = stream === undefined ? [] : named(stream, message);
      const collection = message.collection ? parseCollectionName(message.collection) : ended[0]?.collection;
      for (const subscription of ended) stream?.unsubscribe(subscription);
      if (ended.length > 0) connection.subscriptionVersion++;
      const count = collection === undefined ? 0 : subscribing.countOn(stream, collection);
      return { answer: { success: true, count } };

      function named(held: Stream, { subscriptionId }: UnsubscribeMessage): readonly Subscription[] {
        if (subscriptionId) return held.list.filter((subscription) => subscription.id === subscriptionId);
        const wanted = parseCollectionName(message.collection ?? undefined);
        const all = held.list.filter((subscription) => subscription.collection === wanted);
        if (message.filter == null && message.query == null) return all;
        const key = groupKey(wanted, subscribing.visible(session.author, wanted, parseFilter(message)));
        return all.filter((subscription) => subscription.group.key === key);
      }
    },
    reword: withoutCollection,
    refuse: refusal,
  };
}

function updateDoor({ subscribing, now }: SubscriptionDoorsDeps): Door {
  return {
    kind: 'ordered',
    async handle(connection, payload) {
      const session = connection.requireSession();
      const message = parseMessage(upMessages['sync:update_subscriptions'], payload);
      const requests = subscribing.parseSet(message.subscriptions, session.author);
      const start = await subscribing.replace(connection, requests, message.checkpoint ?? undefined);
      const version = ++connection.subscriptionVersion;
      const answer = {
        success: true,
        version,
        timestamp: now(),
        subscriptionIds: requests.map((request) => request.id),
      };
      return { answer, afterwards: start };
    },
    refuse: refusal,
  };
}

function markDoor({ subscribing }: SubscriptionDoorsDeps): Door {
  return {
    kind: 'joined',
    async handle(connection, payload) {
      const session = connection.requireSession();
      parseMessage(upMessages['sync:mark'], payload);
      return { answer: { success: true, checkpoint: await subscribing.streamOf(connection, session).mark() } };
    },
    refuse: refusal,
  };
}
