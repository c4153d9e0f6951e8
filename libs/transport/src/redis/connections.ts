import { once } from 'node:events';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { SyncError } from '@tidemark/protocol';
import { Redis } from 'ioredis';
import { silentLog, type TransportLog } from '../log.ts';
import { isReady } from './call.ts';
import {
  type ClientRole,
  type ClientSettings,
  clientOptions,
  parseRedisUrl,
  type RedisClient,
  reconnectDelay,
} from './client-options.ts';

export interface RedisOptions {
  /** See parseRedisUrl. */
  readonly url: string;
  /** Of every key and channel, default `tidemark`. Two fleets on one Redis need different ones. */
  readonly keyPrefix?: string;
  /** More than `rediss://` says, for instance `ca`. */
  readonly tls?: TlsOptions;
  /** How long enqueue, publish and leases wait for an answer before they are `unavailable`. Default 5,000. */
  readonly commandTimeoutMs?: number;
  /** The same for `check()`. Default 1,000. */
  readonly checkTimeoutMs?: number;
  readonly log?: TransportLog;
}

/** A process' connections to one Redis, shared by queue, bus and leases; each is opened when first asked for. */
export interface RedisConnections {
  readonly keyPrefix: string;
  readonly commandTimeoutMs: number;
  readonly checkTimeoutMs: number;
  readonly log: TransportLog;
  /** For commands that must fail fast. Others may use it too (rate limits, fleet-wide operations). */
  commands(): RedisClient;
  /** For subscriptions only; outlives any outage and subscribes again by itself. */
  subscriber(): RedisClient;
  /** For BullMQ workers; outlives any outage. */
  worker(): RedisClient;
  /** Cuts them; close queue, bus and leases first. Safe to call twice. */
  close(): Promise<void>;
}

/** Throws TypeError when the URL is none. Does not wait for Redis: it may come up later. */
export function connectRedis(options: RedisOptions): RedisConnections {
  const log = options.log ?? silentLog;
  const commandTimeoutMs = options.commandTimeoutMs ?? 5_000;
  const settings: ClientSettings = { target: parseRedisUrl(options.url), tls: options.tls ?? {}, commandTimeoutMs };
  const clients = new Map<ClientRole, RedisClient>();
  let closed = false;
  const clientFor = (role: ClientRole): RedisClient => {
    let client = clients.get(role);
    if (client === undefined) {
      if (closed) throw new SyncError('unavailable', 'The connections to Redis are closed.');
      client = openClient(role, settings);
      // Each lane's worker and each caller that waits for the connection listens to it; the default of 10 is a few lanes.
      client.setMaxListeners(1_000);
      reportOutages(client, role, log);
      clients.set(role, client);
    }
    return client;
  };
  return {
    keyPrefix: options.keyPrefix ?? 'tidemark',
    commandTimeoutMs,
    checkTimeoutMs: options.checkTimeoutMs ?? 1_000,
    log,
    commands: () => clientFor('commands'),
    subscriber: () => clientFor('subscriber'),
    worker: () => clientFor('worker'),
    async close() {
      closed = true;
      await Promise.all([...clients.values()].map(endClient));
    },
  };
}

const keepName = (address: string, answer: (error: null, address: string) => void) => answer(null, address);

function openClient(role: ClientRole, settings: ClientSettings): RedisClient {
  const { cluster, addresses, tls } = settings.target;
  const options = clientOptions(role, settings);
  if (!cluster) return new Redis({ ...addresses[0], ...options });
  return new Redis.Cluster([...addresses], {
    redisOptions: options,
    enableOfflineQueue: role !== 'commands',
    clusterRetryStrategy: reconnectDelay,
    slotsRefreshTimeout: 3_000,
    // With TLS the certificate names the host, so an address must not be looked up for it.
    ...(tls ? { dnsLookup: keepName } : {}),
  });
}

async function endClient(client: RedisClient): Promise<void> {
  const ended = isReady(client) ? once(client, 'end') : undefined;
  client.disconnect();
  await ended;
}

/** One line when Redis goes and one when it is back, instead of one per attempt; an error without a listener would end the process. */
function reportOutages(client: RedisClient, role: ClientRole, log: TransportLog): void {
  let away = false;
  client.on('error', (error: Error) => {
    if (!away) log.warn({ err: error, connection: role }, 'Redis is away');
    away = true;
  });
  client.on('ready', () => {
    if (away) log.warn({ connection: role }, 'Redis is back');
    away = false;
  });
}
