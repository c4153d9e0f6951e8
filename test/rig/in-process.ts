import { loadSettings } from '@tidemark/config';
import { startStandalone } from '@tidemark/standalone';
import { createLogger, createMetrics } from '@tidemark/telemetry';
import type { RunningServer, ServerOptions } from './running-server.ts';
import { waitUntil, withinTime } from './wait-until.ts';

/** What was open before the first of the servers that run in this process, and how many they are. */
const running = { count: 0, before: new Map<string, number>() as ReadonlyMap<string, number> };

/**
 * The standalone server inside the test. When the last of several has ended, what they may have left open is checked: while
 * another one runs, its own timers come and go.
 */
export async function startInProcess(
  env: Readonly<Record<string, string>>,
  { wrap }: ServerOptions,
): Promise<RunningServer> {
  if (running.count === 0) running.before = openResources();
  const log: Record<string, unknown>[] = [];
  const settings = loadSettings({ env });
  const destination = { write: (line: string) => void log.push(JSON.parse(line)) };
  const telemetry = {
    logger: createLogger({ level: settings.logLevel, name: 'standalone', destination }),
    metrics: createMetrics(),
  };
  const server = await startStandalone({ settings, version: '0.0.0-test', telemetry, ...(wrap && { wrap }) });
  running.count += 1;
  let stopped = false;
  const url = `http://127.0.0.1:${server.port}`;
  return {
    urls: [url],
    log,
    drain: () => server.drain(),
    async stop() {
      await withinTime(server.stop(), stopsWithinMs, () => 'the server stops');
      if (!stopped) running.count -= 1;
      stopped = true;
      if (running.count === 0) await assertClosed(running.before);
    },
    kill: () => Promise.reject(new Error('only a process of its own can be killed')),
  };
}

const stopsWithinMs = 15_000;
const counted = ['TCPServerWrap', 'TCPSocketWrap', 'Timeout'];

function openResources(): ReadonlyMap<string, number> {
  const open = process.getActiveResourcesInfo();
  return new Map(counted.map((kind) => [kind, open.filter((one) => one === kind).length]));
}

/** Sockets close after their peers have heard of it, so the end may take a moment. */
async function assertClosed(before: ReadonlyMap<string, number>): Promise<void> {
  const leaks = () => [...openResources()].filter(([kind, count]) => count > (before.get(kind) ?? 0) + allowance(kind));
  await waitUntil(() => leaks().length === 0, {
    within: 10_000,
    what: () => `the server leaves open: ${JSON.stringify(leaks())}`,
  });
}

/** The timer of the waiting itself. */
function allowance(kind: string): number {
  return kind === 'Timeout' ? 1 : 0;
}
