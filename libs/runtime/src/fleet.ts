import { randomUUID } from 'node:crypto';
import type { Rules } from '@tidemark/access';
import { type Store, StoreError } from '@tidemark/storage';
import { createHealth, type Health } from '@tidemark/telemetry';
import { openRules } from './open-rules.ts';
import { openStore } from './open-store.ts';
import { type FleetTransport, openFleetTransport } from './open-transport.ts';
import { openWriterStore } from './open-writer-store.ts';
import { startProbeServer } from './probe-server.ts';
import { type FleetSettings, requireFleet } from './require-fleet.ts';
import { runService, type ServiceContext } from './run-service.ts';

/** What a service of a fleet stands on. */
export interface Fleet extends ServiceContext {
  readonly settings: FleetSettings;
  readonly rules: Rules;
  readonly store: Store;
  readonly transport: FleetTransport;
  /** Looks at the store and the transport; the service adds itself. */
  readonly health: Health;
  /** Names this process among all, and differs after every start. */
  readonly id: string;
  /** Lets go of transport and store. */
  close(): Promise<void>;
}

/**
 * Opens everything. `keepLanes`: the service takes the number of lanes as it finds it; without, see openWriterStore.
 * Throws SettingsError, RulesError, StoreError.
 */
export async function openFleet(context: ServiceContext, { keepLanes }: { keepLanes: boolean }): Promise<Fleet> {
  const { settings, telemetry, version } = context;
  requireFleet(settings);
  const rules = await openRules(settings, telemetry);
  const transport = await openFleetTransport(settings, telemetry);
  const options = { settings, rules, telemetry, onLost: () => undefined };
  const store = await (keepLanes
    ? openStore({ ...options, keepLanes })
    : openWriterStore({ ...options, leases: transport.leases }));
  const health = createHealth({ version });
  health.register('store', () => store.check());
  transport.watch(health);
  const close = async () => {
    await transport.close();
    await store.close();
  };
  return { settings, telemetry, version, rules, store, transport, health, id: randomUUID(), close };
}

/** A service that has no clients. */
export interface Worker {
  run(): Promise<void>;
  drain(): Promise<void>;
  stop(): Promise<void>;
  ready(): Promise<void>;
}

/** The main of a service without clients: its worker, and its probes. */
export function runWorker(name: string, options: { keepLanes: boolean }, create: (fleet: Fleet) => Worker): void {
  runService(name, async (context) => {
    const fleet = await openFleet(context, options);
    const { settings, telemetry, health } = fleet;
    const worker = create(fleet);
    health.register(name, () => worker.ready());
    const probes = await startProbeServer({ health, telemetry, metricsToken: settings.metricsToken }, settings);
    telemetry.logger.info({ port: probes.port }, 'started');
    return {
      running: worker.run().catch((error: unknown) => {
        throw StoreError.is(error, 'stale_epoch') ? lanesChanged(name) : error;
      }),
      async drain() {
        health.startDraining();
        await worker.drain();
      },
      async stop() {
        await worker.stop();
        await fleet.close();
        await probes.close();
      },
    };
  });
}

/** Why a service ends that was opened before the number of lanes changed. */
export function lanesChanged(name: string): StoreError {
  return new StoreError('stale_epoch', `the number of lanes was changed: start this ${name} again`);
}
