export type { TransportLog } from './log.ts';
export * from './port.ts';
