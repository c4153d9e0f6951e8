import { randomUUID } from 'node:crypto';
import {
  developmentPages,
  openFleetTransport,
  openRules,
  openStore,
  requireFleet,
  runService,
} from '@tidemark/runtime';
import { createHealth } from '@tidemark/telemetry';
import { fleetGatewayParts } from './from-settings.ts';
import { createGateway } from './gateway.ts';
import { createFleetAdapter } from './socket/fleet-adapter.ts';

runService('gateway', async ({ settings, telemetry, version }) => {
  requireFleet(settings);
  const rules = await openRules(settings, telemetry);
  const store = await openStore({ settings, rules, telemetry, keepLanes: true, onLost: () => undefined });
  const transport = await openFleetTransport(settings, telemetry);
  const health = createHealth({ version });
  health.register('store', () => store.check());
  transport.watch(health);
  const { redis } = transport;
  const parts = await fleetGatewayParts(developmentPages(settings), { version, id: randomUUID(), redis, telemetry });
  const adapter = createFleetAdapter(redis, telemetry.logger);
  let end: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const running = new Promise<void>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  running.catch(() => undefined);
  const onOutdated = () =>
    void gateway
      .drain(settings.drainTimeoutMs)
      .finally(() => fail(new Error('the number of lanes was changed: start this gateway again')));
  const gateway = createGateway({ ...transport, ...parts, adapter, store, rules, health, telemetry, onOutdated });
  const port = await gateway.listen(settings.port, settings.host);
  telemetry.logger.info({ port }, 'ready');
  return {
    running,
    drain: () => gateway.drain(settings.drainTimeoutMs),
    async stop() {
      await gateway.stop();
      await parts.close();
      await transport.close();
      await store.close();
      end();
    },
  };
});
