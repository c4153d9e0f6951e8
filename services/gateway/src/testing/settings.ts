import type { GatewaySettings } from '../settings.ts';

/** Settings of a gateway in a test; small enough that limits are met. */
export function testSettings(spec: Partial<GatewaySettings> = {}): GatewaySettings {
  return {
    development: true,
    version: 'test',
    maxBatchSize: 100,
    maxMessageBytes: 1_048_576,
    rateLimitMax: 50,
    rateLimitWindowMs: 10_000,
    maxConnectionsPerUser: 1_000,
    maxConnectionsPerIp: 1_000,
    allowedOrigins: '*',
    broadcastToSender: false,
    trustProxy: 0,
    operatorToken: undefined,
    metricsToken: undefined,
    jobTimeoutMs: 1_000,
    maxJobChanges: 1_000,
    maxWaitingChanges: 10_000,
    recentBytes: 1_048_576,
    slowClientBytes: 1_000,
    bootstrapPage: 4,
    // Tests announce positions themselves.
    checkpointIntervalMs: 1_000_000,
    joinTimeoutMs: 1_000_000,
    ...spec,
  };
}
