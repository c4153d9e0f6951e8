import { describeBus, describeJobQueue, describeLeases, type JobQueueRig } from '../conformance/index.ts';
import type { Consumer, JobQueue } from '../port.ts';
import { createInProcessBus } from './bus.ts';
import { createInProcessLeases } from './leases.ts';
import { createInProcessQueue, type InProcessQueue } from './queue.ts';

/** "Processes" of one process: each closes and loses its own consumers only. */
async function openQueue(): Promise<JobQueueRig> {
  let shared: InProcessQueue | undefined;
  const consumers = new Map<JobQueue, Set<Consumer>>();
  return {
    async connect(options = {}) {
      shared ??= createInProcessQueue({ ...options, redeliveryDelayMs: 5, maxRedeliveryDelayMs: 20 });
      const queue = shared;
      const mine = new Set<Consumer>();
      const process: JobQueue = {
        ...queue,
        async consume(...args) {
          const consumer = await queue.consume(...args);
          mine.add(consumer);
          return consumer;
        },
      };
      consumers.set(process, mine);
      return process;
    },
    async crash(process) {
      for (const consumer of consumers.get(process) ?? []) shared?.kill(consumer);
    },
    async close() {
      await shared?.close();
    },
  };
}

describeJobQueue('in process', openQueue);

describeBus('in process', async () => {
  const bus = createInProcessBus();
  return { connect: async () => bus, close: () => bus.close() };
});

describeLeases('in process', async () => {
  let now = 1_000;
  const leases = createInProcessLeases({ clock: () => now });
  return {
    connect: async () => leases,
    pass: async (ms) => {
      now += ms;
    },
    close: () => leases.close(),
  };
});
