import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Health, Telemetry } from '@tidemark/telemetry';
import express, { type Express, type RequestHandler } from 'express';

export interface ProbeDeps {
  readonly health: Health;
  readonly telemetry: Telemetry;
  readonly metricsToken: string | undefined;
  /** More for the answer of `/health`. */
  readonly facts?: () => Readonly<Record<string, unknown>>;
  readonly now?: () => number;
}

/** `/health`, `/ready` and `/metrics`, the same on every service. */
export function probeRoutes({ health, telemetry, metricsToken, facts, now = Date.now }: ProbeDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/health', (_request, response) => {
    response.json({ status: 'healthy', timestamp: now(), ...facts?.(), version: health.version });
  });
  app.get('/ready', async (_request, response) => {
    const { ready, ...reasons } = await health.ready();
    response.status(ready ? 200 : 503).json(ready ? { status: 'ready' } : { status: 'not_ready', ...reasons });
  });
  app.get('/metrics', requireBearer(metricsToken), async (_request, response) => {
    response.type(telemetry.metrics.contentType).send(await telemetry.metrics.text());
  });
  return app;
}

/** Lets through who carries the token; everyone when there is none. */
function requireBearer(token: string | undefined): RequestHandler {
  return (request, response, next) => {
    if (token === undefined || isBearer(request.headers.authorization, token)) return next();
    response.status(401).json({ success: false, code: 'unauthenticated', error: 'a token is required' });
  };
}

/** Compares in constant time. */
export function isBearer(header: string | undefined, token: string): boolean {
  const given = header?.replace(/^bearer /i, '') ?? '';
  return timingSafeEqual(digest(given), digest(token));
}

const digest = (text: string) => createHash('sha256').update(text).digest();

export interface ProbeServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves the probes of a service that has no clients. */
export async function startProbeServer(
  deps: ProbeDeps,
  { port, host }: { port: number; host: string },
): Promise<ProbeServer> {
  const server = createServer(probeRoutes(deps));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
