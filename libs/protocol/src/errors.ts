/** Who has to act for the error to go away. */
export type Fault = 'client' | 'user' | 'operator' | 'server' | 'nobody';
/** `never`: the same message fails again. `later`: wait (`retryAfterMs`). `after_change`: fix something first. */
export type Retry = 'never' | 'later' | 'after_change';
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface ErrorDefinition {
  readonly cause: string;
  readonly cure: string;
  readonly fault: Fault;
  readonly retry: Retry;
  readonly logLevel: LogLevel;
  /** Status of the REST endpoints. */
  readonly httpStatus: number;
}

function define(
  httpStatus: number,
  fault: Fault,
  retry: Retry,
  logLevel: LogLevel,
  texts: [cause: string, cure: string],
): ErrorDefinition {
  return { cause: texts[0], cure: texts[1], fault, retry, logLevel, httpStatus };
}

/** Every error that crosses the wire. `docs/errors.md` is held equal to it by a test. */
export const errorCatalogue = {
  unauthenticated: define(401, 'client', 'after_change', 'info', [
    'No identity, or a token that is malformed, badly signed or not for this server.',
    'Send a valid token.',
  ]),
  forbidden: define(403, 'client', 'never', 'info', [
    'The rules, or a reserved name, forbid it.',
    'Ask for less, or change the rules.',
  ]),
  token_expired: define(401, 'client', 'after_change', 'info', [
    'The token of the session has expired.',
    'Get a fresh token and send it with sync:auth or join again.',
  ]),
  too_many_connections: define(429, 'client', 'later', 'info', [
    'The user or the address holds as many connections as it may.',
    'Close one, or raise MAX_CONNECTIONS_PER_USER or MAX_CONNECTIONS_PER_IP.',
  ]),
  invalid_message: define(400, 'client', 'never', 'info', [
    'The message does not have the shape that the contract gives it, or its event does not exist.',
    'Correct the message; the error names the field.',
  ]),
  invalid_query: define(400, 'client', 'never', 'info', [
    'The filter or its arguments do not parse.',
    'Correct the filter; the error gives the position and what was expected.',
  ]),
  invalid_document: define(400, 'client', 'never', 'info', [
    'The data of a change cannot be a document: operator keys, a differing _id, nested too deeply.',
    'Correct the data.',
  ]),
  too_large: define(413, 'client', 'never', 'info', [
    'A message, batch or document is over its limit.',
    'Send smaller pieces; the limits are in the answer of sync:join.',
  ]),
  rate_limited: define(429, 'client', 'later', 'info', [
    'The user has sent more changes than the rate limit allows.',
    'Wait retryAfterMs and send again.',
  ]),
  overloaded: define(503, 'operator', 'later', 'warn', [
    'A queue of the server is full.',
    'Wait retryAfterMs and send again; the operator adds writers or gateways.',
  ]),
  unavailable: define(503, 'server', 'later', 'warn', [
    'A part that the server needs does not answer in time.',
    'Wait retryAfterMs and send again with the same id; a change that was committed meanwhile is recognised.',
  ]),
  conflict: define(409, 'nobody', 'never', 'debug', [
    'The stored version is newer (last write wins), or not the version that the edit was based on.',
    'Take the current document from the answer, and edit again if still wanted.',
  ]),
  duplicate_key: define(409, 'user', 'after_change', 'info', [
    'A unique index of the database refuses the document.',
    'Change the value that must be unique.',
  ]),
  schema_violation: define(422, 'client', 'after_change', 'info', [
    'The document does not obey the schema of its collection.',
    'Correct the document; the error names the place.',
  ]),
  atomic_aborted: define(409, 'nobody', 'after_change', 'debug', [
    'Another change of the same atomic batch was superseded or rejected.',
    'Correct or drop that change and send the batch again.',
  ]),
  reset_required: define(410, 'nobody', 'after_change', 'info', [
    'The checkpoint is older than the retained history, from another history, or ahead of it.',
    'Bootstrap again; pending writes are kept.',
  ]),
  unsupported_protocol: define(400, 'client', 'never', 'info', [
    'The server does not speak the protocol version that the client asks for.',
    'Use a client of the same major version.',
  ]),
  internal: define(500, 'server', 'later', 'error', [
    'A fault of the server; the log has the cause.',
    'Send again; report it with the time of the answer.',
  ]),
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof errorCatalogue;

export const errorCodes = Object.keys(errorCatalogue) as readonly ErrorCode[];

export interface ErrorDetails {
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** An error that a client may see: `message` is a sentence for a person and holds no secret. */
export class SyncError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'SyncError';
    this.code = code;
    this.retryAfterMs = details.retryAfterMs;
  }

  static is(error: unknown): error is SyncError {
    return error instanceof SyncError;
  }
}
