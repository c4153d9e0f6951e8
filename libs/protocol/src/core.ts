/** The part of the protocol without schemas and Node: what a client bundle needs. */
export * from './change.ts';
export * from './document.ts';
export * from './document-id.ts';
export * from './errors.ts';
export * from './extended-json.ts';
export * from './ids.ts';
export * from './json.ts';
export * as limits from './limits.ts';
export * from './lww.ts';
export type { AckMessage } from './messages/ack.ts';
export type { BatchAckMessage } from './messages/batch-ack.ts';
export type { BootstrapErrorMessage, BootstrapMessage } from './messages/bootstrap.ts';
export type { ChangeMessage } from './messages/change.ts';
export type { ChangesMessage, ChangesPageMessage } from './messages/changes.ts';
export type { DeliveredMessage } from './messages/delivered.ts';
export type { JoinMessage } from './messages/join.ts';
export type { JoinAckMessage, JoinedMessage, RefusalMessage } from './messages/joined.ts';
export type {
  CheckpointMessage,
  DrainMessage,
  ErrorMessage,
  NoticeMessage,
  ResetMessage,
} from './messages/notices.ts';
export type { PongMessage } from './messages/ping.ts';
export type { SubscribeMessage } from './messages/subscribe.ts';
export type { SubscriptionMessage } from './messages/subscription.ts';
export type {
  AuthAckMessage,
  MarkAckMessage,
  SubscribeAckMessage,
  UnsubscribeAckMessage,
  UpdateSubscriptionsAckMessage,
} from './messages/subscription-acks.ts';
export type { UpdateSubscriptionsMessage } from './messages/update-subscriptions.ts';
