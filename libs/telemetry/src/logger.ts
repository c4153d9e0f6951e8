import { type DestinationStream, pino } from 'pino';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** One line of log: fields first, then a fixed sentence; an error goes into the field `err`. */
interface Write {
  (message: string): void;
  (fields: object, message: string): void;
}

/** What the rooms may ask of a logger. Small on purpose, so that a test can pass a literal. */
export interface Logger {
  readonly trace: Write;
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  readonly fatal: Write;
  /** A logger that adds `fields` to every line. */
  child(fields: Record<string, unknown>): Logger;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Stands in every line as `name`: the service, for example `gateway`. */
  readonly name: string;
  /** Where lines go; standard output when left out. */
  readonly destination?: DestinationStream;
}

/**
 * A JSON logger. Values of fields that are named like secrets are replaced up to three levels deep, and credentials in
 * URLs and JSON web tokens are cut out of the finished line wherever they stand, because drivers quote connection
 * strings in their error messages. Of an error in `err` there are type, message, stack, code and kind, and the stacks
 * of its causes; nothing else that hangs on it.
 */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    level: options.level,
    name: options.name,
    redact: { paths: secretPaths(), censor: '[redacted]' },
    serializers: { err: tellError },
    hooks: { streamWrite: cutCredentials },
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}

/** Drivers hang on an error what they were asked to do: the password of a login, the documents of a command. */
function tellError(error: unknown): unknown {
  if (!isErrorLike(error)) return error;
  const { type, message, stack } = pino.stdSerializers.err(error);
  const { code, kind, errors } = error;
  return {
    type,
    message,
    stack,
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(typeof kind === 'string' && { kind }),
    ...(Array.isArray(errors) && { aggregateErrors: errors.map(tellError) }),
  };
}

type ErrorLike = Error & { readonly code?: unknown; readonly kind?: unknown; readonly errors?: unknown };

function isErrorLike(value: unknown): value is ErrorLike {
  return typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string';
}

const secretNames = ['authorization', 'token', 'password', 'secret', 'accessKey', 'authJwtSecret', 'cookie'];

function secretPaths(): string[] {
  return secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
}

const urlCredentials = /:\/\/[^\s/?#"\\]*@/g;
/**
 * It begins a run of its letters, perhaps behind an escaped line break. A try at every place within the run would take time
 * by the square of its length, which a client chooses.
 */
const webToken = /(?:(?<![\w-])|(?<=\\[nrt]))eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g;

function cutCredentials(line: string): string {
  return line.replace(urlCredentials, '://[redacted]@').replace(webToken, '[redacted]');
}
