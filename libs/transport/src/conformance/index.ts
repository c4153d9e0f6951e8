export { type BusRig, describeBus } from './bus.ts';
export { describeJobQueue, type JobQueueRig } from './job-queue.ts';
export { describeLeases, type LeasesRig } from './leases.ts';
export { createGate, createRecorder, eventually, type Gate, type Recorder } from './recorder.ts';
export { feed, gateway, job, lane, reply } from './samples.ts';
