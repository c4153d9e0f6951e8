import { ackMessage } from './ack.ts';
import { batchAckMessage } from './batch-ack.ts';
import { bootstrapErrorMessage, bootstrapMessage } from './bootstrap.ts';
import { changesMessage, changesPageMessage } from './changes.ts';
import { joinAckMessage, joinedMessage, refusalMessage } from './joined.ts';
import { checkpointMessage, drainMessage, errorMessage, noticeMessage, resetMessage } from './notices.ts';
import { pongMessage } from './ping.ts';
import {
  authAckMessage,
  markAckMessage,
  subscribeAckMessage,
  unsubscribeAckMessage,
  updateSubscriptionsAckMessage,
} from './subscription-acks.ts';

/** Every event that the server sends. */
export const downMessages = {
  joined: joinedMessage,
  pong: pongMessage,
  'sync:bootstrap': bootstrapMessage,
  'sync:bootstrap_error': bootstrapErrorMessage,
  'sync:changes': changesMessage,
  'sync:checkpoint': checkpointMessage,
  'sync:reset': resetMessage,
  'sync:drain': drainMessage,
  'sync:error': errorMessage,
  'sync:notice': noticeMessage,
} as const;

/** The acknowledgement of every client event, when it is not a refusal. */
export const ackMessages = {
  'sync:join': joinAckMessage,
  'sync:auth': authAckMessage,
  'sync:change': ackMessage,
  'sync:changeBatch': batchAckMessage,
  'sync:subscribe': subscribeAckMessage,
  'sync:unsubscribe': unsubscribeAckMessage,
  'sync:update_subscriptions': updateSubscriptionsAckMessage,
  'sync:get_changes': changesPageMessage,
  'sync:mark': markAckMessage,
  ping: pongMessage,
  refusal: refusalMessage,
} as const;

export type DownEvent = keyof typeof downMessages;
