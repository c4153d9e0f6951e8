import { readFileSync } from 'node:fs';
import { RulesError } from '@tidemark/access';
import { helpRequested, loadSettings, runUntilSignal, SettingsError, settingsHelp } from '@tidemark/config';
import { StoreError } from '@tidemark/storage';
import { createLogger, createMetrics } from '@tidemark/telemetry';
import { startStandalone } from './standalone.ts';

async function main(argv: readonly string[]): Promise<number> {
  if (helpRequested(argv)) {
    process.stdout.write(settingsHelp());
    return 0;
  }
  const settings = loadSettings({ env: process.env, argv });
  const telemetry = {
    logger: createLogger({ level: settings.logLevel, name: 'standalone' }),
    metrics: createMetrics({ defaults: true }),
  };
  const server = await startStandalone({ settings, version: ownVersion(), telemetry });
  telemetry.logger.info({ url: server.url }, 'ready');
  const failed = server.running.then(() => new Promise<never>(() => undefined));
  return Promise.race([
    failed,
    runUntilSignal(server, { process, logger: telemetry.logger, drainTimeoutMs: settings.drainTimeoutMs }),
  ]);
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** What the operator can mend is one sentence; anything else shows where it comes from. */
function explain(error: unknown): string {
  const isPlain =
    error instanceof SettingsError || error instanceof RulesError || StoreError.is(error) || isAddressInUse(error);
  return isPlain ? error.message : String(error instanceof Error ? error.stack : error);
}

function isAddressInUse(error: unknown): error is Error {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`tidemark: ${explain(error)}\n`);
    process.exit(1);
  },
);
