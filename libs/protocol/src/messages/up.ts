import { authMessage } from './auth.ts';
import { batchChangesMessage } from './batch-changes.ts';
import { changeMessage } from './change.ts';
import { changeBatchMessage } from './change-batch.ts';
import { getChangesMessage } from './get-changes.ts';
import { joinMessage } from './join.ts';
import { markMessage } from './mark.ts';
import { mongoDeleteMessage } from './mongo-delete.ts';
import { mongoUpsertMessage } from './mongo-upsert.ts';
import { pingMessage } from './ping.ts';
import { subscribeMessage } from './subscribe.ts';
import { unsubscribeMessage } from './unsubscribe.ts';
import { updateSubscriptionsMessage } from './update-subscriptions.ts';

/** Every event that a client may send, with the schema of its payload. */
export const upMessages = {
  'sync:join': joinMessage,
  'sync:auth': authMessage,
  'sync:change': changeMessage,
  'sync:changeBatch': changeBatchMessage,
  'sync:batch_changes': batchChangesMessage,
  'sync:subscribe': subscribeMessage,
  'sync:unsubscribe': unsubscribeMessage,
  'sync:update_subscriptions': updateSubscriptionsMessage,
  'sync:get_changes': getChangesMessage,
  'sync:mark': markMessage,
  mongoUpsert: mongoUpsertMessage,
  mongoDelete: mongoDeleteMessage,
  ping: pingMessage,
} as const;

export type UpEvent = keyof typeof upMessages;
