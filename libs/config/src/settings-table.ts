import {
  boolean,
  integer,
  oneOf,
  origins,
  pattern,
  redisUrl,
  type SettingKind,
  text,
  url,
  webUrl,
} from './setting-kind.ts';

/** What a default may depend on. */
export interface DefaultFacts {
  readonly production: boolean;
  /** Redis is configured: several processes share the work. */
  readonly fleet: boolean;
}

/** One row of the table. Loading, `--help`, the documentation and `.env.example` are made from it. */
export interface Setting<T = unknown, D = unknown> {
  readonly env: string;
  readonly kind: SettingKind<T>;
  /** The value without environment and file; `undefined`: the setting may be missing. */
  readonly fallback: (facts: DefaultFacts) => D;
  readonly about: string;
  /** Never shown, in no log and no message. */
  readonly secret: boolean;
  /** Where it stands in `<CONFIG_DIR>/<NODE_ENV>.json`. */
  readonly file?: string;
}

interface More<D> {
  readonly fallback?: D | ((facts: DefaultFacts) => D);
  readonly secret?: boolean;
  readonly file?: string;
}

function setting<T, D = undefined>(
  env: string,
  kind: SettingKind<T>,
  about: string,
  more: More<D> = {},
): Setting<T, D> {
  const { fallback } = more;
  return {
    env,
    kind,
    about,
    secret: more.secret ?? false,
    fallback: typeof fallback === 'function' ? (fallback as (facts: DefaultFacts) => D) : () => fallback as D,
    ...(more.file === undefined ? {} : { file: more.file }),
  };
}

const byProduction =
  <T>(production: T, otherwise: T) =>
  (facts: DefaultFacts): T =>
    facts.production ? production : otherwise;

const nodeEnvs = oneOf('development', 'production', 'test');
const logLevels = oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent');
const port = integer(0, 65_535);
const milliseconds = integer(1, 86_400_000);
const bytes = integer(1_024, 2 ** 40);
const count = integer(1, 10_000_000);
const keyPrefix = pattern('letters, digits, "-", "_", "." or ":"', /^[\w.:-]{1,64}$/);
const databaseName = pattern('a MongoDB database name', /^[^\s/\\."$*<>:|?]{1,63}$/);
const webPubSub = pattern('of the form Endpoint=https://…;AccessKey=…', /^(?=.*Endpoint=https?:\/\/)(?=.*AccessKey=)/i);

/** Every setting there is, in the order of the documentation. */
export const settingsTable = {
  nodeEnv: setting(
    'NODE_ENV',
    nodeEnvs,
    'Chooses defaults and the settings file; only in development may a client state its own user id',
    { fallback: 'development' as const },
  ),
  configDir: setting('CONFIG_DIR', text, 'Folder of the settings file <NODE_ENV>.json, which may be missing', {
    fallback: './config',
  }),
  host: setting('HOST', text, 'Address to listen on', { fallback: '0.0.0.0' }),
  port: setting('PORT', port, 'Port to listen on; 0 takes a free one', { fallback: 3_000, file: 'server.port' }),
  trustProxy: setting('TRUST_PROXY', integer(0, 32), 'How many proxies in front add to X-Forwarded-For', {
    fallback: 0,
  }),
  allowedOrigins: setting('ALLOWED_ORIGINS', origins, 'Web origins that may connect: * or a list separated by commas', {
    fallback: byProduction<'*' | readonly string[]>([], '*'),
    file: 'server.corsOrigins',
  }),
  logLevel: setting('LOG_LEVEL', logLevels, 'Least level that is logged', { fallback: 'info' as const }),

  dataDir: setting('DATA_DIR', text, 'Folder of the embedded store; not used with MONGODB_URI', { fallback: './data' }),
  mongodbUri: setting(
    'MONGODB_URI',
    url('mongodb', 'mongodb+srv'),
    'Your MongoDB, a replica set; without it the embedded store is used',
    { secret: true },
  ),
  mongodbDatabase: setting('MONGODB_DATABASE', databaseName, 'Database, when it is not the one that MONGODB_URI names'),
  mongodbPoolSize: setting('MONGODB_POOL_SIZE', integer(1, 1_000), 'Most connections of one process to MongoDB', {
    fallback: 20,
    file: 'mongodb.poolSize',
  }),
  mongodbSocketTimeoutMs: setting('MONGODB_SOCKET_TIMEOUT_MS', milliseconds, 'Longest wait for an answer of MongoDB', {
    fallback: 45_000,
    file: 'mongodb.socketTimeoutMS',
  }),
  redisUrl: setting('REDIS_URL', redisUrl, 'Redis of a fleet; needs MONGODB_URI', { secret: true }),
  redisKeyPrefix: setting('REDIS_KEY_PREFIX', keyPrefix, 'First part of every key and channel in Redis', {
    fallback: 'tidemark',
  }),
  lanes: setting('LANES', integer(1, 256), 'Ordered slices of history that can be written side by side', {
    fallback: (facts: DefaultFacts) => (facts.fleet ? 8 : 1),
  }),

  authJwtSecret: setting('AUTH_JWT_SECRET', text, 'Key of HS256 tokens, at least 32 bytes in production', {
    secret: true,
  }),
  authJwksUrl: setting('AUTH_JWKS_URL', webUrl, 'Where the public keys of your identity provider are'),
  authIssuer: setting('AUTH_ISSUER', text, 'The claim "iss" that tokens must have'),
  authAudience: setting('AUTH_AUDIENCE', text, 'The claim "aud" that tokens must have'),
  rulesFile: setting('RULES_FILE', text, 'Rules of who may read and write what, YAML or JSON'),
  webRoot: setting('WEB_ROOT', text, 'Folder of web pages to serve at /; when developing it is the demo'),
  operatorToken: setting('OPERATOR_TOKEN', text, 'Bearer token for GET /stats in production', { secret: true }),
  metricsToken: setting('METRICS_TOKEN', text, 'Bearer token for GET /metrics; open when not set', { secret: true }),

  webPubsubConnectionString: setting(
    'WEB_PUBSUB_CONNECTION_STRING',
    webPubSub,
    'Azure Web PubSub for Socket.IO: accepted, but this version serves every client itself',
    { secret: true },
  ),
  webPubsubHubName: setting(
    'WEB_PUBSUB_HUB_NAME',
    pattern('a letter, then letters, digits or "_"', /^[A-Za-z]\w{0,127}$/),
    'Hub of Web PubSub; needs WEB_PUBSUB_CONNECTION_STRING',
    { fallback: 'Hub' },
  ),

  maxConnectionsPerUser: setting(
    'MAX_CONNECTIONS_PER_USER',
    count,
    'Most connections of one user, over the whole fleet',
    { fallback: byProduction(10, 100) },
  ),
  maxConnectionsPerIp: setting(
    'MAX_CONNECTIONS_PER_IP',
    count,
    'Most connections of one address, over the whole fleet',
    { fallback: byProduction(50, 500) },
  ),
  syncRateLimitMax: setting('SYNC_RATE_LIMIT_MAX', count, 'Changes that a user may send per window', { fallback: 50 }),
  syncRateLimitWindowMs: setting('SYNC_RATE_LIMIT_WINDOW_MS', milliseconds, 'Window of the rate limit in ms', {
    fallback: 10_000,
  }),
  rateLimitDisabled: setting('RATE_LIMIT_DISABLED', boolean, 'Switches the rate limit off', {
    fallback: byProduction(false, true),
  }),
  maxMessageSize: setting('MAX_MESSAGE_SIZE', integer(1_024, 64 * 1_048_576), 'Bytes of one message of a client', {
    fallback: 1_048_576,
  }),
  maxBatchSize: setting('MAX_BATCH_SIZE', integer(1, 10_000), 'Changes in one batch', {
    fallback: 100,
    file: 'sync.maxBatchSize',
  }),
  maxClockSkewMs: setting(
    'MAX_CLOCK_SKEW_MS',
    integer(0, 86_400_000),
    'How far ahead of the server a timestamp may be; later ones are clamped',
    { fallback: 60_000 },
  ),
  optimisticLocking: setting(
    'OPTIMISTIC_LOCKING',
    boolean,
    'A change with a version is superseded unless that version is stored',
    { fallback: false, file: 'sync.enableOptimisticLocking' },
  ),
  broadcastToSender: setting('BROADCAST_TO_SENDER', boolean, 'Sends old clients their own changes too', {
    fallback: false,
  }),
  changeRetentionDays: setting(
    'CHANGE_RETENTION_DAYS',
    integer(1, 3_650),
    'Days that the change log is kept; a client away for longer starts anew',
    { fallback: 30, file: 'sync.changeRetentionDays' },
  ),

  jobTimeoutMs: setting('JOB_TIMEOUT_MS', milliseconds, 'Longest wait of a gateway for a writer', { fallback: 10_000 }),
  maxJobChanges: setting('MAX_JOB_CHANGES', integer(1, 10_000), 'Most changes in one job', { fallback: 500 }),
  queueMaxDepth: setting(
    'QUEUE_MAX_DEPTH',
    count,
    'Changes that may wait in one gateway before it answers overloaded',
    { fallback: 20_000 },
  ),
  recentEntriesBytes: setting(
    'RECENT_ENTRIES_BYTES',
    bytes,
    'Memory of a gateway for recent entries, which serve reconnects',
    { fallback: 67_108_864 },
  ),
  slowClientBytes: setting(
    'SLOW_CLIENT_BYTES',
    bytes,
    'Bytes that may wait for one client before it is taken off the live feed',
    { fallback: 1_048_576 },
  ),
  bootstrapPage: setting('BOOTSTRAP_PAGE', integer(1, 10_000), 'Documents in one page of a bootstrap', {
    fallback: 500,
  }),
  heartbeatMs: setting('HEARTBEAT_MS', milliseconds, 'How often a lane tells its head', { fallback: 1_000 }),
  checkpointIntervalMs: setting(
    'CHECKPOINT_INTERVAL_MS',
    milliseconds,
    'How often an idle client is told a new checkpoint',
    { fallback: 3_000 },
  ),
  joinTimeoutMs: setting('JOIN_TIMEOUT_MS', milliseconds, 'How long a socket may stay without joining', {
    fallback: 30_000,
  }),
  drainTimeoutMs: setting('DRAIN_TIMEOUT_MS', milliseconds, 'How long a stop waits for work in flight', {
    fallback: 10_000,
  }),
  leaseTtlMs: setting(
    'LEASE_TTL_MS',
    integer(500, 600_000),
    'How long a lane belongs to a writer that does not renew it',
    { fallback: 5_000 },
  ),
} as const;

export type SettingName = keyof typeof settingsTable;
type ValueOf<S> = S extends Setting<infer T, infer D> ? T | D : never;

/** The rows in order, for code that treats all alike. */
export const settingRows = Object.entries(settingsTable) as ReadonlyArray<readonly [SettingName, Setting]>;

/** All settings, checked. Times are ms, sizes bytes. What may be missing is `undefined`. */
export type Settings = { readonly [N in SettingName]: ValueOf<(typeof settingsTable)[N]> } & {
  /** NODE_ENV is development: the only case in which a client may state its own user id. */
  readonly development: boolean;
  /** NODE_ENV is production: closed unless opened. */
  readonly production: boolean;
};
