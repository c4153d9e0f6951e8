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
import { createWriter } from './writer.ts';

runService('writer', async ({ settings, telemetry, version }) => {
  requireFleet(settings);
  const rules = await openRules(settings, telemetry);
  const store = await openStore({ settings, rules, telemetry, onLost: () => undefined });
  const transport = await openFleetTransport(settings, telemetry);
  const writer = createWriter({
    ...transport,
    store,
    rules,
    telemetry,
    settings: { ...settings, holder: randomUUID() },
  });
  const health = createHealth({ version });
  health.register('store', () => store.check());
  transport.watch(health);
  health.register('writer', () => writer.ready());
  const probes = await startProbeServer({ health, telemetry, metricsToken: settings.metricsToken }, settings);
  telemetry.logger.info({ port: probes.port }, 'started');
  return {
    running: writer.run(),
    async drain() {
      health.startDraining();
      await writer.drain();
    },
    async stop() {
      await writer.stop();
      await transport.close();
      await store.close();
      await probes.close();
    },
  };
});
