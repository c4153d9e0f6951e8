import { loadSettings } from '@tidemark/config';
import { startStandalone } from '@tidemark/standalone';
import { createLogger, createMetrics } from '@tidemark/telemetry';
import type { RunningServer, ServerOptions } from './running-server.ts';
import { waitUntil } from './wait-until.ts';

/** The standalone server inside the test. Its end is checked for what it may have left open; of several, the last one ends first. */
export async function startInProcess(
  env: Readonly<Record<string, string>>,
  { wrap }: ServerOptions,
): Promise<RunningServer> {
  const before = openResources();
  const log: Record<string, unknown>[] = [];
  const settings = loadSettings({ env });
  const destination = { write: (line: string) => void log.push(JSON.parse(line)) };
  const telemetry = {
    logger: createLogger({ level: settings.logLevel, name: 'standalone', destination }),
    metrics: createMetrics(),
  };
  const server = await startStandalone({ settings, version: '0.0.0-test', telemetry, ...(wrap && { wrap }) });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    urls: [url],
    log,
    drain: () => server.drain(),
    async stop() {
      await server.stop();
      await assertClosed(before);
    },
    kill: () => Promise.reject(new Error('only a process of its own can be killed')),
  };
}

const counted = ['TCPServerWrap', 'TCPSocketWrap', 'Timeout'];

function openResources(): ReadonlyMap<string, number> {
  const open = process.getActiveResourcesInfo();
  return new Map(counted.map((kind) => [kind, open.filter((one) => one === kind).length]));
}

/** Sockets close after their peers have heard of it, so the end may take a moment. */
async function assertClosed(before: ReadonlyMap<string, number>): Promise<void> {
  const leaks = () => [...openResources()].filter(([kind, count]) => count > (before.get(kind) ?? 0) + allowance(kind));
  await waitUntil(() => leaks().length === 0, {
    within: 30_000,
    what: () => `the server leaves open: ${JSON.stringify(leaks())}`,
  });
}

/** The timer of the waiting itself. */
function allowance(kind: string): number {
  return kind === 'Timeout' ? 1 : 0;
}
