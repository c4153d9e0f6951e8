import { createLogger, type Logger } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';

/** What every `createX(deps)` takes to be seen from outside. */
export interface Telemetry {
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** For tests: logs nothing, counts into a registry of its own. */
export function silentTelemetry(): Telemetry {
  return { logger: createLogger({ level: 'silent', name: 'test' }), metrics: createMetrics() };
}
