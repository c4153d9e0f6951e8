export {
  createHealth,
  type Health,
  type HealthCheck,
  type HealthOptions,
  Misconfigured,
  type Readiness,
} from './health.ts';
export type { Counter, Gauge, Labelled, Observer } from './instrument.ts';
export { createLogger, type Logger, type LoggerOptions, type LogLevel, logLevels } from './logger.ts';
export { createMetrics, type Metrics, type MetricsOptions, type Stage } from './metrics.ts';
export { silentTelemetry, type Telemetry } from './telemetry.ts';
