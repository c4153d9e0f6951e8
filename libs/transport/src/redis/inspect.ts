import { Redis } from 'ioredis';
import { callRedis } from './call.ts';
import type { RedisClient } from './client-options.ts';
import type { RedisConnections } from './connections.ts';

export interface RedisFault {
  readonly setting: 'version' | 'maxmemory-policy' | 'appendonly';
  /** `error`: Tidemark may break. `warning`: an outage of Redis costs more than it must. */
  readonly severity: 'error' | 'warning';
  readonly found: string;
  readonly wanted: string;
  /** A sentence for the operator. */
  readonly message: string;
}

/** What is misconfigured in Redis or Valkey, by INFO (managed services forbid CONFIG). Throws SyncError `unavailable`. */
export async function inspectRedis(connections: RedisConnections): Promise<readonly RedisFault[]> {
  const client = connections.commands();
  const texts = await callRedis(client, connections.commandTimeoutMs, () => Promise.all(nodesOf(client).map(infoOf)));
  const faults = texts.flatMap((text) => findRedisFaults(parseInfo(text)));
  // Nodes of a cluster tend to share their faults.
  return [...new Map(faults.map((fault) => [fault.message, fault])).values()];
}

const nodesOf = (client: RedisClient): readonly Redis[] =>
  client instanceof Redis ? [client] : client.nodes('master');
const infoOf = (node: Redis) => node.info();

/** The fields of INFO's answer. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

/** Says nothing about what the server does not tell. */
export function findRedisFaults(info: ReadonlyMap<string, string>): readonly RedisFault[] {
  return [versionFault(info), evictionFault(info), appendOnlyFault(info)].filter((fault) => fault !== undefined);
}

function versionFault(info: ReadonlyMap<string, string>): RedisFault | undefined {
  // Valkey keeps a compatible number in redis_version.
  const found = info.get('redis_version');
  const [major = 0, minor = 0] = (found ?? '').split('.').map(Number);
  if (found === undefined || major > 6 || (major === 6 && minor >= 2)) return undefined;
  const message = `Redis ${found} is too old: use Redis 6.2 or later, or Valkey.`;
  return { setting: 'version', severity: 'error', found, wanted: '6.2', message };
}

function evictionFault(info: ReadonlyMap<string, string>): RedisFault | undefined {
  const found = info.get('maxmemory_policy');
  if (found === undefined || found === 'noeviction') return undefined;
  const message = `Redis may throw jobs away when its memory is full: set maxmemory-policy to noeviction (it is ${found}).`;
  return { setting: 'maxmemory-policy', severity: 'error', found, wanted: 'noeviction', message };
}

function appendOnlyFault(info: ReadonlyMap<string, string>): RedisFault | undefined {
  const found = info.get('aof_enabled');
  if (found !== '0') return undefined;
  const message =
    'Redis forgets the queued jobs when it restarts, and clients must send them again: set appendonly to yes.';
  return { setting: 'appendonly', severity: 'warning', found: 'no', wanted: 'yes', message };
}
