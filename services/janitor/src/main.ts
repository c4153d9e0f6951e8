import { randomUUID } from 'node:crypto';
import {
  openFleetTransport,
  openRules,
  openStore,
  requireFleet,
  runService,
  startProbeServer,
} from '@tidemark/runtime';
import { createHealth } from '@tidemark/telemetry';
import { createBullMqScheduler } from './bullmq-scheduler.ts';
import { createJanitor } from './janitor.ts';

runService('janitor', async ({ settings, telemetry, version }) => {
  requireFleet(settings);
  const rules = await openRules(settings, telemetry);
  const store = await openStore({ settings, rules, telemetry, keepLanes: true, onLost: () => undefined });
  const transport = await openFleetTransport(settings, telemetry);
  const scheduler = createBullMqScheduler({ redis: transport.redis, logger: telemetry.logger });
  const janitor = createJanitor({ store, telemetry, scheduler, settings: { ...settings, holder: randomUUID() } });
  const health = createHealth({ version });
  health.register('store', () => store.check());
  transport.watch(health);
  health.register('janitor', () => janitor.ready());
  const probes = await startProbeServer({ health, telemetry, metricsToken: settings.metricsToken }, settings);
  telemetry.logger.info({ port: probes.port }, 'started');
  return {
    running: janitor.run(),
    async drain() {
      health.startDraining();
      await janitor.drain();
    },
    async stop() {
      await janitor.stop();
      await transport.close();
      await store.close();
      await probes.close();
    },
  };
});
