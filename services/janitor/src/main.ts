import { runWorker } from '@tidemark/runtime';
import { createBullMqScheduler } from './bullmq-scheduler.ts';
import { createJanitor } from './janitor.ts';

runWorker('janitor', { keepLanes: true }, ({ settings, telemetry, store, transport, id }) => {
  const scheduler = createBullMqScheduler({ redis: transport.redis, logger: telemetry.logger });
  return createJanitor({ store, telemetry, scheduler, settings: { ...settings, holder: id } });
});
