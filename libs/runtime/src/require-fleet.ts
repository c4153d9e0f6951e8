import { type Settings, SettingsError } from '@tidemark/config';

/** The settings of a service that meets others. */
export type FleetSettings = Settings & { readonly redisUrl: string; readonly mongodbUri: string };

/** A service that runs apart meets the others through Redis and MongoDB. Throws SettingsError. */
export function requireFleet(settings: Settings): asserts settings is FleetSettings {
  if (settings.redisUrl !== undefined && settings.mongodbUri !== undefined) return;
  throw new SettingsError(['a service that runs apart needs MONGODB_URI and REDIS_URL; without them start standalone']);
}
