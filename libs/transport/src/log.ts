/** What the adapters say to an operator; a pino logger fits. */
export interface TransportLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLog: TransportLog = { warn: () => {}, error: () => {} };
