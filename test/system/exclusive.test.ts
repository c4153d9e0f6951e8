import { expect, it, jest } from '@jest/globals';
import { Backends } from '../rig/backends.ts';
import { runServerToEnd } from '../rig/server-process.ts';
import { ServiceProcess } from '../rig/service-process.ts';

jest.setTimeout(120_000);

it('a second server on the same MongoDB refuses to start and says what to set; when the first is gone it may', async () => {
  await using backends = await Backends.start({ redis: false });
  const env = { ...backends.env, NODE_ENV: 'development' };
  const first = await ServiceProcess.start('standalone', env);
  const second = await runServerToEnd({ ...env, PORT: '0', HOST: '127.0.0.1' });
  expect(second.code).toBe(1);
  expect(second.errors).toMatch(/^tidemark standalone: another server .* uses this database alone.*REDIS_URL/);
  expect(second.errors.trim().split('\n')).toHaveLength(1);
  await first.ready();
  expect(await first.stop()).toBe(0);
  const next = await ServiceProcess.start('standalone', env);
  await next.ready();
  // What a killed one held runs out by itself.
  await next.kill();
  const last = await ServiceProcess.start('standalone', env);
  await last.ready();
  expect(await last.stop()).toBe(0);
});

it.each(['gateway', 'writer', 'janitor'] as const)('a %s without Redis says what it needs', async (name) => {
  const refused = ServiceProcess.start(name, { NODE_ENV: 'development', MONGODB_URI: 'mongodb://127.0.0.1:1' });
  await expect(refused).rejects.toThrow(`tidemark ${name}: a service that runs apart needs MONGODB_URI and REDIS_URL`);
});
