import { runWorker } from '@tidemark/runtime';
import { createWriter } from './writer.ts';

// Writers are who changes the number of lanes.
runWorker('writer', { keepLanes: false }, ({ settings, telemetry, rules, store, transport, id }) =>
  createWriter({ ...transport, store, rules, telemetry, settings: { ...settings, holder: id } }),
);
