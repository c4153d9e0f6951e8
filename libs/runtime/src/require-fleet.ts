import { type Settings, SettingsError } from '@tidemark/config';

/** A service that runs apart meets the others through Redis and MongoDB. Throws SettingsError. */
export function requireFleet(
  settings: Settings,
): asserts settings is Settings & { readonly redisUrl: string; readonly mongodbUri: string } {
  if (settings.redisUrl !== undefined && settings.mongodbUri !== undefined) return;
  throw new SettingsError(['a service that runs apart needs MONGODB_URI and REDIS_URL; without them start standalone']);
}
