import { describe, expect, it } from '@jest/globals';
import { createHealth, Misconfigured, silentTelemetry } from '@tidemark/telemetry';
import { isBearer, type ProbeDeps, startProbeServer } from './probe-server.ts';

async function start(more: Partial<ProbeDeps> = {}) {
  const health = createHealth({ version: '1.2.3', cacheMs: 0 });
  const deps = { health, telemetry: silentTelemetry(), metricsToken: undefined, now: () => 17, ...more };
  const server = await startProbeServer(deps, { port: 0, host: '127.0.0.1' });
  const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { headers });
  return { health, get, server, [Symbol.asyncDispose]: () => server.close() };
}

describe('the probes of a service', () => {
  it('/health tells that it lives, with the version and what more there is to say', async () => {
    await using probes = await start({ facts: () => ({ activeConnections: 3 }) });
    const answer = await probes.get('/health');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: 'healthy', timestamp: 17, activeConnections: 3, version: '1.2.3' });
  });

  it('/ready names the parts that are not, follows them back, and stays off while draining', async () => {
    await using probes = await start();
    let away = true;
    probes.health.register('store', async () => {
      if (away) throw new Error('away');
    });
    const ready = async () => {
      const answer = await probes.get('/ready');
      return [answer.status, await answer.json()];
    };
    expect(await ready()).toEqual([503, { status: 'not_ready', failing: ['store'] }]);
    probes.health.register('redis_settings', () => Promise.reject(new Misconfigured('set it')));
    const both = { status: 'not_ready', failing: ['redis_settings', 'store'], misconfigured: ['set it'] };
    expect(await ready()).toEqual([503, both]);
    probes.health.register('redis_settings', async () => undefined);
    away = false;
    expect(await ready()).toEqual([200, { status: 'ready' }]);
    probes.health.startDraining();
    expect(await ready()).toEqual([503, { status: 'not_ready', failing: ['draining'] }]);
  });

  it('/metrics is Prometheus text, open unless there is a token', async () => {
    await using open = await start();
    const answer = await open.get('/metrics');
    expect(answer.headers.get('content-type')).toContain('text/plain');
    expect(await answer.text()).toContain('# HELP tidemark_');
    await using closed = await start({ metricsToken: 'secret' });
    expect((await closed.get('/metrics')).status).toBe(401);
    expect((await closed.get('/metrics', { authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await closed.get('/metrics', { authorization: 'Bearer secret' })).status).toBe(200);
  });

  it('a port that is taken is an error of the start', async () => {
    await using probes = await start();
    const { port } = probes.server;
    const deps = { health: probes.health, telemetry: silentTelemetry(), metricsToken: undefined };
    await expect(startProbeServer(deps, { port, host: '127.0.0.1' })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('isBearer', () => {
  it.each([
    ['Bearer t', true],
    ['bearer t', true],
    ['t', true],
    ['Bearer', false],
    ['Bearer tt', false],
    ['', false],
    [undefined, false],
  ])('%s: %s', (header, expected) => {
    expect(isBearer(header, 't')).toBe(expected);
  });
});
