import { randomUUID } from 'node:crypto';
import {
  createAuthenticator,
  createConnectionCounter,
  createRateLimiter,
  createRules,
  loadRulesFile,
  type Rules,
} from '@tidemark/access';
import type { Settings } from '@tidemark/config';
import { createGateway, type Gateway, gatewaySettings } from '@tidemark/gateway';
import { createJanitor } from '@tidemark/janitor';
import { brandAs, type GatewayId } from '@tidemark/protocol';
import type { Store } from '@tidemark/storage';
import { createHealth, type Health, type Telemetry } from '@tidemark/telemetry';
import type { Bus, JobQueue, Leases } from '@tidemark/transport';
import { createInProcessBus, createInProcessLeases, createInProcessQueue } from '@tidemark/transport/inprocess';
import { createWriter } from '@tidemark/writer';
import { openStore } from './open-store.ts';

export interface StandaloneOptions {
  readonly settings: Settings;
  readonly version: string;
  readonly telemetry: Telemetry;
  /** Tests put faults between the parts. */
  readonly wrap?: {
    readonly bus?: (bus: Bus) => Bus;
    readonly queue?: (queue: JobQueue) => JobQueue;
    readonly store?: (store: Store) => Store;
  };
  readonly now?: () => number;
}

/** A whole server in one process. `drain` and `stop` are safe to call twice. */
export interface Standalone {
  readonly port: number;
  readonly url: string;
  /** Rejects when a part has failed for good; resolves when stopped. */
  readonly running: Promise<void>;
  drain(): Promise<void>;
  stop(): Promise<void>;
}

/** Parts in the order in which they stop. */
interface Parts {
  readonly gateway: Gateway;
  readonly writer: ReturnType<typeof createWriter>;
  readonly janitor: ReturnType<typeof createJanitor>;
  readonly queue: JobQueue;
  readonly bus: Bus;
  readonly leases: Leases;
  readonly store: Store;
}

/** Opens the store and starts gateway, writer and janitor over the in-process transport. Throws what keeps it from starting. */
export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  const { settings, telemetry, wrap = {} } = options;
  const rules = await createRulesOf(settings, telemetry);
  const opened = await openStore({ settings, rules, telemetry });
  const store = wrap.store?.(opened) ?? opened;
  const queue = createInProcessQueue({ maxDepth: settings.queueMaxDepth, log: telemetry.logger });
  const bus = createInProcessBus({ log: telemetry.logger });
  const transport = {
    queue: wrap.queue?.(queue) ?? queue,
    bus: wrap.bus?.(bus) ?? bus,
    leases: createInProcessLeases(),
  };
  const parts = createParts(options, { rules, store, ...transport });
  return run(parts, options);
}

async function createRulesOf(settings: Settings, telemetry: Telemetry): Promise<Rules> {
  const file = settings.rulesFile === undefined ? undefined : await loadRulesFile(settings.rulesFile);
  const { production } = settings;
  return createRules(file, {
    production,
    onOpen: (collection) =>
      telemetry.logger.warn({ collection }, 'no rule: everyone may read and write this collection'),
  });
}

function createParts(
  options: StandaloneOptions,
  base: Pick<Parts, 'queue' | 'bus' | 'leases' | 'store'> & { readonly rules: Rules },
): Parts {
  const { settings, telemetry, version, now } = options;
  const clock = now && { now };
  const holder = randomUUID();
  const writer = createWriter({ ...base, ...clock, telemetry, settings: { ...settings, holder } });
  const janitor = createJanitor({ ...base, ...clock, telemetry, settings });
  const health = createStandaloneHealth(version, { ...base, writer });
  const gateway = createGateway({
    ...base,
    ...clock,
    ...limits(settings),
    id: brandAs<GatewayId>(holder),
    authenticator: createAuthenticator(authenticatorOptions(settings)),
    health,
    telemetry,
    settings: gatewaySettings(settings, version),
  });
  return { ...base, gateway, writer, janitor };
}

function createStandaloneHealth(version: string, parts: Pick<Parts, 'store' | 'queue' | 'bus' | 'writer'>): Health {
  const health = createHealth({ version });
  health.register('store', () => parts.store.check());
  health.register('queue', () => parts.queue.check());
  health.register('bus', () => parts.bus.check());
  health.register('writer', () => parts.writer.ready());
  return health;
}

function limits(settings: Settings) {
  return {
    rateLimiter: settings.rateLimitDisabled
      ? undefined
      : createRateLimiter({ max: settings.syncRateLimitMax, windowMs: settings.syncRateLimitWindowMs }),
    perUser: createConnectionCounter({ max: settings.maxConnectionsPerUser }),
    perAddress: createConnectionCounter({ max: settings.maxConnectionsPerIp }),
  };
}

function authenticatorOptions({ authJwtSecret, authIssuer, authAudience }: Settings) {
  return {
    ...(authJwtSecret !== undefined && { secret: authJwtSecret }),
    ...(authIssuer !== undefined && { issuer: authIssuer }),
    ...(authAudience !== undefined && { audience: authAudience }),
  };
}

async function run(parts: Parts, { settings, telemetry, version }: StandaloneOptions): Promise<Standalone> {
  const { gateway, writer, janitor } = parts;
  telemetry.metrics.buildInfo({ version, service: 'standalone' });
  const running = Promise.all([writer.run(), janitor.run()]).then(() => undefined);
  // Whoever awaits `running` gets the failure; until somebody does, it must not count as unhandled.
  running.catch(() => undefined);
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= stopAll(parts);
    return stopping;
  };
  try {
    const port = await gateway.listen(settings.port, settings.host);
    return {
      port,
      url: `http://localhost:${port}`,
      running,
      drain: () => gateway.drain(settings.drainTimeoutMs),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Those that face users first. */
async function stopAll({ gateway, writer, janitor, queue, bus, leases, store }: Parts): Promise<void> {
  await gateway.stop();
  await writer.stop();
  await janitor.stop();
  await queue.close();
  await bus.close();
  await leases.close();
  await store.close();
}
