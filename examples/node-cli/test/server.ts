import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '@tidemark/config';
import { startStandalone } from '@tidemark/standalone';
import { createLogger, createMetrics } from '@tidemark/telemetry';

export interface TestServer {
  readonly url: string;
  readonly directory: string;
  /** Ends and starts again on the same port with the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The real server, in this process, on a free port. */
export async function startServer(options: { rules?: string; env?: Record<string, string> } = {}): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-cli-test-'));
  const rulesFile = join(directory, 'rules.yaml');
  if (options.rules !== undefined) writeFileSync(rulesFile, options.rules);
  const env = {
    NODE_ENV: 'development',
    HOST: '127.0.0.1',
    DATA_DIR: join(directory, 'data'),
    CONFIG_DIR: directory,
    ...(options.rules !== undefined && { RULES_FILE: rulesFile }),
    ...options.env,
  };
  const logger = createLogger({ level: 'fatal', name: 'test', destination: { write: () => {} } });
  const start = (port: number) =>
    startStandalone({
      settings: loadSettings({ env: { ...env, PORT: String(port) } }),
      version: '0.0.0-test',
      telemetry: { logger, metrics: createMetrics() },
    });
  let server = await start(0);
  const { port } = server;
  return {
    url: `http://127.0.0.1:${port}`,
    directory,
    restart: async () => {
      await server.stop();
      server = await start(port);
    },
    stop: async () => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Waits until it is so; throws what it waited for after the time. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
