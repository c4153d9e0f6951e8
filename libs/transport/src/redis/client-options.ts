import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { SteadyConnector } from './steady-connector.ts';

export type RedisClient = Redis | Cluster;

/** The driver's options; its constructors want the mapping of replies to be exact. */
export type ClientOptions = RedisOptions & { replyMapping?: 'legacy' };

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** What a REDIS_URL says. */
export interface RedisTarget {
  /** One for a single server; the nodes to start from for a cluster. */
  readonly addresses: readonly [RedisAddress, ...RedisAddress[]];
  readonly cluster: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: boolean;
}

/**
 * `redis://[[user]:password@]host[:port][/db]`, `rediss://` for TLS. Several, separated by commas, or `?cluster=true`,
 * mean a Redis Cluster; user, password and TLS are those of the first. Throws TypeError without repeating the password.
 */
export function parseRedisUrl(text: string): RedisTarget {
  const [first, ...more] = text.split(',').map((part) => parseOne(part.trim()));
  if (first === undefined) throw new TypeError('the Redis URL is empty');
  return {
    addresses: [addressOf(first), ...more.map(addressOf)],
    cluster: more.length > 0 || ['true', '1'].includes(first.searchParams.get('cluster') ?? ''),
    username: textOf(first.username),
    password: textOf(first.password),
    db: databaseOf(first),
    tls: first.protocol === 'rediss:',
  };
}

function parseOne(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') {
    throw new TypeError('a Redis URL looks like redis://user:password@host:6379/0 (rediss:// for TLS)');
  }
  return url;
}

const addressOf = (url: URL): RedisAddress => ({
  // An IPv6 address stands in brackets in a URL, and without them in a socket.
  host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
  port: url.port === '' ? 6379 : Number(url.port),
});

const textOf = (text: string) => (text === '' ? undefined : decodeURIComponent(text));

function databaseOf(url: URL): number {
  const path = url.pathname.replace(/^\//, '');
  if (!/^\d*$/.test(path)) throw new TypeError('the path of a Redis URL is the number of the database');
  return Number(path);
}

/**
 * - `commands` fails fast: a caller that waits (a gateway, a probe) must hear within seconds that Redis is away.
 * - `subscriber` and `worker` wait for ever: their work goes on when Redis is back.
 */
export type ClientRole = 'commands' | 'subscriber' | 'worker';

export interface ClientSettings {
  readonly target: RedisTarget;
  readonly tls: TlsOptions;
  readonly commandTimeoutMs: number;
}

export function clientOptions(role: ClientRole, settings: ClientSettings): ClientOptions {
  const { target } = settings;
  return {
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password }),
    ...(target.tls ? { tls: settings.tls } : {}),
    db: target.db,
    Connector: SteadyConnector,
    connectionName: `tidemark-${role}`,
    // RESP 2: every server and proxy that speaks Redis speaks it.
    protocol: 2,
    connectTimeout: 5_000,
    // The driver's timer for it holds the process, also when there is no socket left to wait for.
    disconnectTimeout: 250,
    keepAlive: 10_000,
    // A half-open connection; longer than a worker's longest blocking read (10 s).
    socketTimeout: 15_000,
    retryStrategy: reconnectDelay,
    // After a failover the old primary answers READONLY: reconnect to the new one and send the command again.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
    ...(role === 'commands'
      ? { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: settings.commandTimeoutMs }
      : { maxRetriesPerRequest: null }),
  };
}

/** Quick enough that a restarted Redis is in use within a second, jittered so that a fleet does not come as one. */
export function reconnectDelay(times: number): number {
  return Math.min(50 * 2 ** Math.min(times - 1, 10), 800) + Math.floor(Math.random() * 200);
}
