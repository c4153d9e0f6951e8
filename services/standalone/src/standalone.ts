import { randomUUID } from 'node:crypto';
import type { Rules } from '@tidemark/access';
import { type Settings, SettingsError } from '@tidemark/config';
import { createGateway, type Gateway, gatewayParts } from '@tidemark/gateway';
import { createJanitor, type Janitor } from '@tidemark/janitor';
import { SyncError } from '@tidemark/protocol';
import { openInProcessTransport, openRules, openStore, type Transport } from '@tidemark/runtime';
import type { Store } from '@tidemark/storage';
import { createHealth, type Health, type Telemetry } from '@tidemark/telemetry';
import type { Bus, JobQueue } from '@tidemark/transport';
import { createWriter, type Writer } from '@tidemark/writer';

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

interface Parts {
  readonly gateway: Gateway;
  readonly writer: Writer;
  readonly janitor: Janitor;
  readonly transport: Transport;
  readonly store: Store;
}

/** What all parts stand on. */
interface Base {
  readonly rules: Rules;
  readonly store: Store;
  readonly transport: Transport;
}

/** Opens the store and starts gateway, writer and janitor over the in-process transport. Throws what keeps it from starting. */
export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  const { settings, telemetry, wrap = {} } = options;
  if (settings.redisUrl !== undefined) throw new SettingsError(['REDIS_URL is set: start gateway, writer and janitor']);
  const rules = await openRules(settings, telemetry);
  let fail: (error: Error) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const onLost = () => fail(new SyncError('unavailable', 'another server has taken the database over'));
  const opened = await openStore({ settings, rules, telemetry, onLost });
  const store = wrap.store?.(opened) ?? opened;
  const transport = wrapTransport(await openInProcessTransport(settings, telemetry), wrap);
  return run(createParts(options, { rules, store, transport }), options, lost);
}

function wrapTransport(transport: Transport, { bus, queue }: NonNullable<StandaloneOptions['wrap']>): Transport {
  return {
    ...transport,
    bus: bus?.(transport.bus) ?? transport.bus,
    queue: queue?.(transport.queue) ?? transport.queue,
  };
}

function createParts(options: StandaloneOptions, { rules, store, transport }: Base): Parts {
  const { settings, telemetry, version, now } = options;
  const { queue, bus, leases } = transport;
  const base = { rules, store, queue, bus, leases, telemetry, ...(now && { now }) };
  const holder = randomUUID();
  const writer = createWriter({ ...base, settings: { ...settings, holder } });
  const janitor = createJanitor({ store, telemetry, settings, ...(now && { now }) });
  const health = createStandaloneHealth(version, { store, transport, writer });
  const gateway = createGateway({ ...base, ...gatewayParts(settings, { version, id: holder }), health });
  return { gateway, writer, janitor, transport, store };
}

function createStandaloneHealth(version: string, parts: Pick<Parts, 'store' | 'transport' | 'writer'>): Health {
  const health = createHealth({ version });
  health.register('store', () => parts.store.check());
  parts.transport.watch(health);
  health.register('writer', () => parts.writer.ready());
  return health;
}

async function run(parts: Parts, { settings }: StandaloneOptions, lost: Promise<never>): Promise<Standalone> {
  const { gateway, writer, janitor } = parts;
  const running = Promise.race([lost, Promise.all([writer.run(), janitor.run()]).then(() => undefined)]);
  // Whoever awaits `running` gets the failure; until somebody does, it must not count as unhandled.
  running.catch(() => undefined);
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= stopAll(parts);
    return stopping;
  };
  try {
    const port = await gateway.listen(settings.port, settings.host);
    const drain = () => gateway.drain(settings.drainTimeoutMs);
    return { port, url: `http://localhost:${port}`, running, drain, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Those that face users first. One that fails does not keep the others from ending. */
async function stopAll({ gateway, writer, janitor, transport, store }: Parts): Promise<void> {
  const failures: unknown[] = [];
  for (const end of [
    () => gateway.stop(),
    () => writer.stop(),
    () => janitor.stop(),
    () => transport.close(),
    () => store.close(),
  ])
    await end().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
