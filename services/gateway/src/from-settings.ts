import { createAuthenticator, createConnectionCounter, createRateLimiter } from '@tidemark/access';
import type { Settings } from '@tidemark/config';
import { brandAs, type GatewayId } from '@tidemark/protocol';
import type { Telemetry } from '@tidemark/telemetry';
import type { RedisConnections } from '@tidemark/transport/redis';
import type { GatewayDeps } from './gateway.ts';
import { oncePer } from './once-per.ts';
import type { GatewaySettings } from './settings.ts';

/** The gateway's slice of the settings table. */
export function gatewaySettings(settings: Settings, version: string): GatewaySettings {
  return {
    ...settings,
    version,
    maxMessageBytes: settings.maxMessageSize,
    rateLimitMax: settings.syncRateLimitMax,
    rateLimitWindowMs: settings.syncRateLimitWindowMs,
    maxWaitingChanges: settings.queueMaxDepth,
    recentBytes: settings.recentEntriesBytes,
  };
}

type PartsOfSettings = Pick<
  GatewayDeps,
  'id' | 'authenticator' | 'rateLimiter' | 'perUser' | 'perAddress' | 'settings'
>;

/** What a gateway takes from the settings alone, with limits of this process; `id` differs after every start. */
export function gatewayParts(
  settings: Settings,
  { version, id }: { readonly version: string; readonly id: string },
): PartsOfSettings {
  const { authJwtSecret: secret, authIssuer: issuer, authAudience: audience } = settings;
  return {
    id: brandAs<GatewayId>(id),
    authenticator: createAuthenticator({
      ...(secret !== undefined && { secret }),
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
    }),
    rateLimiter: settings.rateLimitDisabled
      ? undefined
      : createRateLimiter({ max: settings.syncRateLimitMax, windowMs: settings.syncRateLimitWindowMs }),
    perUser: createConnectionCounter({ max: settings.maxConnectionsPerUser }),
    perAddress: createConnectionCounter({ max: settings.maxConnectionsPerIp }),
    settings: gatewaySettings(settings, version),
  };
}

/** As `gatewayParts`, with limits that hold over the fleet. */
export async function fleetGatewayParts(
  settings: Settings,
  { version, id, redis, telemetry }: { version: string; id: string; redis: RedisConnections; telemetry: Telemetry },
): Promise<PartsOfSettings & { close(): Promise<void> }> {
  const { createRedisConnectionCounter, createRedisRateLimiter } = await import('@tidemark/access/redis');
  const client = redis.commands();
  const shared = { client, keyPrefix: redis.keyPrefix };
  const onError = oncePer(10_000, (error: unknown) =>
    telemetry.logger.warn({ err: error }, 'limits hold for this process only: Redis does not answer'),
  );
  const counter = (kind: string, max: number) =>
    createRedisConnectionCounter({ ...shared, kind, max, gateway: id, onError });
  const perUser = counter('user', settings.maxConnectionsPerUser);
  const perAddress = counter('address', settings.maxConnectionsPerIp);
  const { syncRateLimitMax: max, syncRateLimitWindowMs: windowMs } = settings;
  return {
    ...gatewayParts(settings, { version, id }),
    rateLimiter: settings.rateLimitDisabled ? undefined : createRedisRateLimiter({ ...shared, max, windowMs, onError }),
    perUser,
    perAddress,
    close: async () => {
      await Promise.all([perUser.close(), perAddress.close()]);
    },
  };
}
