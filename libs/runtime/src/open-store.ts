import { hostname } from 'node:os';
import type { Rules } from '@tidemark/access';
import type { Settings } from '@tidemark/config';
import type { CollectionName } from '@tidemark/protocol';
import type { Store } from '@tidemark/storage';
import type { Telemetry } from '@tidemark/telemetry';

export interface OpenStoreOptions {
  readonly settings: Settings;
  readonly rules: Rules;
  readonly telemetry: Telemetry;
  /** Takes the number of lanes that is stored. Only writers change it. */
  readonly keepLanes?: boolean;
  /** Called when another server has taken the database over that this one used alone. */
  readonly onLost: () => void;
}

/** A lease that was not renewed for so long is a dead server's. */
const exclusiveLeaseMs = 10_000;

/**
 * The store that the settings ask for; the adapter of the other one is not loaded. Without Redis a database of MongoDB is
 * used by one server alone. Throws StoreError.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { settings, rules, telemetry } = options;
  const collections = (name: CollectionName) => rules.settings(name);
  const shared = { lanes: settings.lanes, collections, logger: telemetry.logger };
  if (settings.mongodbUri === undefined) {
    const { openEmbeddedStore } = await import('@tidemark/storage/embedded');
    return openEmbeddedStore({ ...shared, directory: settings.dataDir });
  }
  return openMongo(options, { ...shared, uri: settings.mongodbUri });
}

async function openMongo(
  { settings, keepLanes, onLost }: OpenStoreOptions,
  shared: {
    uri: string;
    lanes: number;
    collections: (name: CollectionName) => ReturnType<Rules['settings']>;
    logger: Telemetry['logger'];
  },
): Promise<Store> {
  const { openMongoStore } = await import('@tidemark/storage/mongo');
  const { mongodbDatabase: database, mongodbPoolSize: poolSize, mongodbSocketTimeoutMs: socketTimeoutMs } = settings;
  const holder = `${hostname()}:${process.pid}`;
  return openMongoStore({
    ...shared,
    keepLanes,
    poolSize,
    socketTimeoutMs,
    ...(database !== undefined && { database }),
    ...(settings.redisUrl === undefined && { exclusive: { holder, ttlMs: exclusiveLeaseMs, onLost } }),
  });
}
