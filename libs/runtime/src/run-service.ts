import {
  helpRequested,
  loadSettings,
  runUntilSignal,
  type Service,
  type Settings,
  settingsHelp,
} from '@tidemark/config';
import { createLogger, createMetrics, type Telemetry } from '@tidemark/telemetry';
import { explainFailure } from './explain-failure.ts';
import { ownVersion } from './own-version.ts';

/** What the start of a service gets. */
export interface ServiceContext {
  readonly settings: Settings;
  readonly telemetry: Telemetry;
  readonly version: string;
}

/** A service that was started. */
export interface RunningService extends Service {
  /** Rejects when a part has failed for good. */
  readonly running: Promise<void>;
}

/** The main of a service: settings, start, run until a signal, exit. A start that fails says why in one sentence. */
export function runService(name: string, start: (context: ServiceContext) => Promise<RunningService>): void {
  main(name, start).then(
    (code) => process.exit(code),
    (error: unknown) => {
      process.stderr.write(`tidemark ${name}: ${explainFailure(error)}\n`);
      process.exit(1);
    },
  );
}

async function main(name: string, start: (context: ServiceContext) => Promise<RunningService>): Promise<number> {
  const argv = process.argv.slice(2);
  if (helpRequested(argv)) {
    process.stdout.write(settingsHelp());
    return 0;
  }
  const settings = loadSettings({ env: process.env, argv });
  const telemetry = {
    logger: createLogger({ level: settings.logLevel, name }),
    metrics: createMetrics({ defaults: true }),
  };
  const version = ownVersion();
  telemetry.metrics.buildInfo({ version, service: name });
  const service = await start({ settings, telemetry, version });
  const failure = service.running.then(() => new Promise<never>(() => undefined));
  return Promise.race([
    failure,
    runUntilSignal(service, { process, logger: telemetry.logger, drainTimeoutMs: settings.drainTimeoutMs }),
  ]);
}
