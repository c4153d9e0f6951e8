import { errorCatalogue, isObject, type Millis, SyncError } from '@tidemark/protocol';
import { isBearer, probeRoutes } from '@tidemark/runtime';
import type { Health, Telemetry } from '@tidemark/telemetry';
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import { refusal } from '../doors/door.ts';
import type { GatewaySettings } from '../settings.ts';
import type { TokenReader } from '../socket/handshake.ts';
import type { Operator } from './operator.ts';
import type { RestChange } from './rest-change.ts';
import type { RestIdentity } from './rest-identity.ts';
import type { Statistics } from './statistics.ts';
import { webPages } from './web-pages.ts';

export interface HttpAppDeps {
  readonly health: Health;
  readonly telemetry: Telemetry;
  readonly settings: GatewaySettings;
  readonly tokens: TokenReader;
  readonly identity: RestIdentity;
  readonly change: RestChange;
  readonly statistics: Statistics;
  readonly operator: Operator;
  readonly connectionCount: () => number;
  readonly now: () => Millis;
}

/** The REST side of the wire contract. */
export function createHttpApp(deps: HttpAppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // The scheme that clients see, for the URL of negotiate.
  app.set('trust proxy', deps.settings.trustProxy);
  app.use(cors(deps.settings));
  const { metricsToken } = deps.settings;
  app.use(probeRoutes({ ...deps, metricsToken, facts: () => ({ activeConnections: deps.connectionCount() }) }));
  app.get('/stats', async (request, response) => {
    await assertOperator(deps, request);
    response.json(await deps.statistics.read());
  });
  app.post('/api/operator/disconnect', express.json(), async (request, response) => {
    await assertOperator(deps, request);
    response.json(await deps.operator.disconnect(request.body));
  });
  app.post('/api/operator/broadcast', express.json(), async (request, response) => {
    await assertOperator(deps, request);
    response.json(await deps.operator.broadcast(request.body));
  });
  app.get('/api/negotiate', async (request, response) => {
    const { status, body } = await deps.identity.negotiate(request);
    response.status(status).json(body);
  });
  app.post(
    '/api/sync/change',
    express.json({ limit: deps.settings.maxMessageBytes, strict: true, type: () => true }),
    async (request, response) => {
      const { status, body } = await deps.change.handle(request);
      if (isObject(body) && typeof body.retryAfterMs === 'number')
        response.set('Retry-After', String(Math.ceil(body.retryAfterMs / 1_000)));
      response.status(status).json(body);
    },
  );
  const { webRoot } = deps.settings;
  if (webRoot !== undefined) app.use(webPages(webRoot));
  app.use((request, response) => {
    response.status(404).json({
      success: false,
      code: 'invalid_message',
      error: `there is no ${request.method} ${request.path.slice(0, 100)}`,
    });
  });
  app.use(errorHandler(deps.telemetry));
  return app;
}

function cors(settings: GatewaySettings): express.RequestHandler {
  const { allowedOrigins } = settings;
  return (request, response, next) => {
    const { origin } = request.headers;
    if (allowedOrigins === '*') response.set('Access-Control-Allow-Origin', '*');
    else if (origin !== undefined && allowedOrigins.includes(origin))
      response.set({ 'Access-Control-Allow-Origin': origin, Vary: 'Origin' });
    if (request.method !== 'OPTIONS') return next();
    response.set({
      'Access-Control-Allow-Methods': 'GET, POST',
      'Access-Control-Allow-Headers': 'Authorization, Content-Type, X-User-Id',
    });
    response.status(204).end();
  };
}

async function assertOperator({ settings, tokens }: HttpAppDeps, request: Request): Promise<void> {
  if (settings.development) return;
  if (settings.operatorToken !== undefined && isBearer(request.headers.authorization, settings.operatorToken)) return;
  const identity = await tokens.identify(request.headers.authorization);
  if (identity === undefined) throw new SyncError('unauthenticated', 'an operator token is required');
  if (!identity.operator) throw new SyncError('forbidden', 'the token is not one of an operator');
}

function refuse(response: Response, error: SyncError): void {
  response.status(errorCatalogue[error.code].httpStatus).json(refusal(error));
}

function errorHandler(telemetry: Telemetry): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    refuse(response, asHttpError(error, telemetry));
  };
}

function asHttpError(error: unknown, telemetry: Telemetry): SyncError {
  if (SyncError.is(error)) return error;
  const status = isObject(error) || error instanceof Error ? (error as { status?: unknown }).status : undefined;
  if (status === 413) return new SyncError('too_large', 'the body is larger than the limit');
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new SyncError('invalid_message', 'the request is malformed');
  telemetry.logger.error({ err: error }, 'a request could not be handled');
  return new SyncError('internal', 'the server failed; the log has the cause', { cause: error });
}
