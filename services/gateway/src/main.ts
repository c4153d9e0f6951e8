import { setTimeout as pause } from 'node:timers/promises';
import { lanesChanged, openFleet, runService, servedPages } from '@tidemark/runtime';
import { fleetGatewayParts } from './from-settings.ts';
import { createGateway } from './gateway.ts';
import { createFleetAdapter } from './socket/fleet-adapter.ts';

runService('gateway', async (context) => {
  const fleet = await openFleet(context, { keepLanes: true });
  const { settings, telemetry, version, rules, store, transport, health, id } = fleet;
  const { redis } = transport;
  const parts = await fleetGatewayParts(servedPages(settings), { version, id, redis, telemetry });
  const adapter = createFleetAdapter(redis, telemetry.logger);
  let end: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const running = new Promise<void>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  running.catch(() => undefined);
  // Its connections must not go on counting while it is started again.
  const close = async () => {
    await gateway.stop();
    await parts.close();
    await fleet.close();
  };
  const onOutdated = () =>
    void gateway
      .drain(settings.drainTimeoutMs)
      .then(() => Promise.race([close(), pause(settings.drainTimeoutMs, undefined, { ref: false })]))
      .catch((err: unknown) => telemetry.logger.warn({ err }, 'the gateway could not end cleanly'))
      .finally(() => fail(lanesChanged('gateway')));
  const gateway = createGateway({ ...transport, ...parts, adapter, store, rules, health, telemetry, onOutdated });
  const port = await gateway.listen(settings.port, settings.host);
  telemetry.logger.info({ port }, 'ready');
  return {
    running,
    drain: () => gateway.drain(settings.drainTimeoutMs),
    async stop() {
      await close();
      end();
    },
  };
});
