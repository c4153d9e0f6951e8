import {
  type AckMessage,
  type BatchAckMessage,
  type BootstrapErrorMessage,
  type BootstrapMessage,
  type DeliveredMessage,
  type ErrorMessage,
  isObject,
  type JoinAckMessage,
  parseDocumentId,
  type RefusalMessage,
} from '@tidemark/protocol/core';

/**
 * The edge where messages of the server become typed. It is not distrusted, but a proxy or another version may stand in between:
 * what has not the shape is undefined, never half right.
 */

type Fields = Record<string, unknown>;

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** An answer is what was asked for, or a refusal; anything else counts as a refusal too. */
export function parseAnswer<T>(answer: unknown, parse: (fields: Fields) => T | undefined): T | RefusalMessage {
  if (isObject(answer)) {
    if (answer.success === true) {
      const parsed = parse(answer);
      if (parsed !== undefined) return parsed;
    } else if (answer.success === false) return refusalOf(answer);
  }
  return { success: false, code: 'internal', error: 'the answer of the server does not have the agreed shape' };
}

export function isRefusal(answer: object): answer is RefusalMessage {
  return (answer as { success?: unknown }).success === false;
}

function refusalOf(fields: Fields): RefusalMessage {
  return {
    success: false,
    code: isText(fields.code) ? fields.code : 'internal',
    error: isText(fields.error) ? fields.error : 'refused',
    ...(isNumber(fields.retryAfterMs) && { retryAfterMs: fields.retryAfterMs }),
  };
}

export function parseJoinAck(fields: Fields): JoinAckMessage | undefined {
  const { userId, timestamp, historyId, limits } = fields;
  if (!isText(userId) || !isNumber(timestamp) || !isText(historyId) || !isObject(limits)) return undefined;
  if (!isNumber(limits.maxBatchSize) || !isNumber(limits.maxMessageBytes)) return undefined;
  return fields as JoinAckMessage;
}

export function parseMarkAck(fields: Fields): { checkpoint: string } | undefined {
  return isText(fields.checkpoint) ? { checkpoint: fields.checkpoint } : undefined;
}

export const parseAnything = (fields: Fields): Fields => fields;

/** The answer to a batch; also of one that was refused as a whole, which carries no results. */
export function parseBatchAck(answer: unknown): BatchAckMessage | RefusalMessage {
  const results = isObject(answer) && Array.isArray(answer.results) ? answer.results : [];
  if (isObject(answer) && results.length > 0 && results.every(isAck)) return answer as BatchAckMessage;
  return parseAnswer<never>(answer, () => undefined);
}

const outcomes: readonly unknown[] = ['applied', 'superseded', 'duplicate', 'rejected'];

function isAck(value: unknown): value is AckMessage {
  return (
    isObject(value) && isText(value.changeId) && typeof value.success === 'boolean' && outcomes.includes(value.outcome)
  );
}

export function parseBootstrap(payload: unknown): BootstrapMessage | undefined {
  if (!isObject(payload) || !isText(payload.subscription) || typeof payload.hasMore !== 'boolean') return undefined;
  if (!Array.isArray(payload.data) || !payload.data.every(isDocument)) return undefined;
  return payload as BootstrapMessage;
}

const isDocument = (value: unknown) => isObject(value) && parseDocumentId(value._id) !== undefined;

export function parseBootstrapError(payload: unknown): BootstrapErrorMessage | undefined {
  if (!isObject(payload) || !isText(payload.subscription)) return undefined;
  const { code, error } = refusalOf(payload);
  return { ...(payload as BootstrapErrorMessage), code: code ?? 'internal', error: error ?? 'refused' };
}

export function parseChanges(
  changes: unknown,
  position: unknown,
): { changes: readonly DeliveredMessage[]; checkpoint: string } | undefined {
  const checkpoint = parseCheckpoint(position);
  if (checkpoint === undefined || !Array.isArray(changes) || !changes.every(isDelivered)) return undefined;
  return { changes, checkpoint };
}

const operations: readonly unknown[] = ['insert', 'update', 'delete'];

function isDelivered(value: unknown): value is DeliveredMessage {
  if (!isObject(value) || !isText(value.id) || !isText(value.collection) || !isNumber(value.version)) return false;
  if (!operations.includes(value.operation) || parseDocumentId(value.documentId) === undefined) return false;
  return value.operation === 'delete' || isObject(value.data) || Array.isArray(value.unset);
}

export function parseCheckpoint(payload: unknown): string | undefined {
  return isObject(payload) && isText(payload.checkpoint) ? payload.checkpoint : undefined;
}

export function parseReset(payload: unknown): { reason: string } {
  return { reason: isObject(payload) && isText(payload.reason) ? payload.reason : 'reset' };
}

export function parseDrain(payload: unknown): { reconnectAfterMs: number } {
  return {
    reconnectAfterMs: isObject(payload) && isNumber(payload.reconnectAfterMs) ? payload.reconnectAfterMs : 1_000,
  };
}

export function parseError(payload: unknown): ErrorMessage {
  const fields = isObject(payload) ? payload : {};
  const { code, error, retryAfterMs } = refusalOf(fields);
  return {
    code: code ?? 'internal',
    error: error ?? 'error',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(isText(fields.event) && { event: fields.event }),
  };
}
