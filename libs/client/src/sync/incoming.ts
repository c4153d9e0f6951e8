import {
  type BatchAckMessage,
  type BootstrapMessage,
  type DeliveredMessage,
  isObject,
  type JoinAckMessage,
  parseDocumentId,
} from '@tidemark/protocol/core';

/**
 * The edge where messages of the server become typed. It is not distrusted, but a proxy or another version may stand in between:
 * what has not the shape is undefined, never half right.
 */

type Fields = Record<string, unknown>;
type Test = (value: unknown) => unknown;

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isId = (value: unknown) => parseDocumentId(value) !== undefined;

const oneOf =
  (...words: readonly unknown[]): Test =>
  (value) =>
    words.includes(value);
const listOf =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.every(test);
const optional =
  (test: Test): Test =>
  (value) =>
    value === undefined || test(value);
/** Takes an object whose fields pass the tests, whatever else it holds. */
const shape = <T = Fields>(tests: Readonly<Record<string, Test>>): ((value: unknown) => T | undefined) => {
  const entries = Object.entries(tests);
  return (value) => (isObject(value) && entries.every(([name, test]) => test(value[name])) ? (value as T) : undefined);
};

/** Of a document; what clocks and versions are compared with is a number. */
const metadata = { sync_updated_at: optional(isNumber), sync_version: optional(isNumber) };
const isFields = shape(metadata);
const isDocument = shape({ ...metadata, _id: isId });

export const parseJoinAck = shape<JoinAckMessage>({
  userId: isText,
  timestamp: isNumber,
  historyId: isText,
  limits: shape({ maxBatchSize: isNumber, maxMessageBytes: isNumber }),
});
const isAck = shape({
  changeId: isText,
  success: isBoolean,
  timestamp: isNumber,
  outcome: oneOf('applied', 'superseded', 'duplicate', 'rejected'),
  code: optional(isText),
  error: optional(isText),
  retryAfterMs: optional(isNumber),
  current: (value) => value === null || optional(isDocument)(value),
});
export const parseBootstrap = shape<BootstrapMessage>({
  subscription: isText,
  collection: isText,
  hasMore: isBoolean,
  data: listOf(isDocument),
  checkpoint: optional(isText),
});
const parseChange = shape<DeliveredMessage>({
  id: isText,
  collection: isText,
  version: isNumber,
  timestamp: isNumber,
  operation: oneOf('insert', 'update', 'delete'),
  documentId: isId,
  data: optional(isFields),
  unset: optional(listOf(isText)),
});
const isDelivered: Test = (value) => {
  const change = parseChange(value);
  return change && (change.operation === 'delete' || change.data || change.unset);
};

/** Why the server does not do what it was asked for. */
export interface Refused {
  readonly success: false;
  readonly code: string;
  readonly error: string;
  readonly retryAfterMs?: number | undefined;
}

/** Why a subscription does not get its documents. */
export interface BootstrapFailure extends Refused {
  readonly subscription: string;
}

/** The field, if the value has one that passes the test. */
function fieldOf<T>(value: unknown, name: string, test: (field: unknown) => field is T): T | undefined {
  const field = isObject(value) ? value[name] : undefined;
  return test(field) ? field : undefined;
}

/** An answer is what was asked for, whatever it holds unless `parse` says, or a refusal; anything else counts as a refusal too. */
export function parseAnswer<T = Fields>(
  answer: unknown,
  parse: (fields: Fields) => T | undefined = (fields) => fields as T,
): T | Refused {
  const fields = isObject(answer) ? answer : {};
  const parsed = fields.success === true ? parse(fields) : undefined;
  if (parsed !== undefined) return parsed;
  return fields.success === false ? refusalOf(fields) : refusalOf({}, 'an answer does not have the agreed shape');
}

export function isRefusal(answer: object): answer is Refused {
  return (answer as { success?: unknown }).success === false;
}

function refusalOf(fields: unknown, otherwise = 'refused'): Refused {
  return {
    success: false,
    code: fieldOf(fields, 'code', isText) ?? 'internal',
    error: fieldOf(fields, 'error', isText) ?? otherwise,
    retryAfterMs: fieldOf(fields, 'retryAfterMs', isNumber),
  };
}

/** The answer to a batch; also of one that was refused as a whole, which carries no results. */
export function parseBatchAck(answer: unknown): BatchAckMessage | Refused {
  const results = isObject(answer) && Array.isArray(answer.results) ? answer.results : [];
  if (results.length > 0 && results.every(isAck)) return answer as BatchAckMessage;
  return parseAnswer<never>(answer, () => undefined);
}

export function parseBootstrapError(payload: unknown): BootstrapFailure | undefined {
  const subscription = fieldOf(payload, 'subscription', isText);
  return subscription === undefined ? undefined : { ...refusalOf(payload), subscription };
}

export function parseChanges(
  changes: unknown,
  position: unknown,
): { changes: readonly DeliveredMessage[]; checkpoint: string } | undefined {
  const checkpoint = parseCheckpoint(position);
  if (checkpoint === undefined || !Array.isArray(changes) || !changes.every(isDelivered)) return undefined;
  return { changes, checkpoint };
}

/** Of an event, and of the answer to a mark. */
export function parseCheckpoint(payload: unknown): string | undefined {
  return fieldOf(payload, 'checkpoint', isText);
}

/** The reason. */
export function parseReset(payload: unknown): string {
  return fieldOf(payload, 'reason', isText) ?? 'reset';
}

/** How long to stay away, in ms. */
export function parseDrain(payload: unknown): number {
  return fieldOf(payload, 'reconnectAfterMs', isNumber) ?? 1_000;
}

/** A complaint of the server, whatever it is about. */
export function parseError(payload: unknown): Refused {
  return refusalOf(payload);
}
