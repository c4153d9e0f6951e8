import { createAuthenticator, createConnectionCounter, createRateLimiter } from '@tidemark/access';
import type { Settings } from '@tidemark/config';
import { brandAs, type GatewayId } from '@tidemark/protocol';
import type { GatewayDeps } from './gateway.ts';
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
