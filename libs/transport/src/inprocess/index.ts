export { createInProcessBus, type InProcessBusOptions } from './bus.ts';
export { createInProcessLeases, type InProcessLeasesOptions } from './leases.ts';
export { createInProcessQueue, type InProcessQueue, type InProcessQueueOptions } from './queue.ts';
