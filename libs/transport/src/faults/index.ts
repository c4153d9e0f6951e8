export { type BusFate, type BusFaults, createFaultyBus } from './faulty-bus.ts';
export { createFaultyQueue, type JobFate, type QueueFaults } from './faulty-queue.ts';
