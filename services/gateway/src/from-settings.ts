import type { Settings } from '@tidemark/config';
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
