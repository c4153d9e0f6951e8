import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Backends } from './backends.ts';
import { Fleet } from './fleet.ts';
import { startInProcess } from './in-process.ts';
import type { RunningServer, ServerOptions, StartServer } from './running-server.ts';
import { startProcess } from './server-process.ts';

/** One server on MongoDB. The database goes and comes with it, and keeps its data. */
export const startOnMongo: StartServer = async (env, options) => {
  const backends = await startBackends(env, { redis: false });
  const start = options.process ? startProcess : startInProcess;
  return endingWith(backends, () => start({ ...env, ...backends.env }, options));
};

/** Two gateways, two writers and a janitor. Redis comes back empty with every start. */
export const startFleet: StartServer = async (env, options) => {
  const backends = await startBackends(env, {});
  return endingWith(backends, () => startServices({ ...env, ...backends.env }, options));
};

async function startBackends(
  env: Readonly<Record<string, string>>,
  more: { readonly redis?: false },
): Promise<Backends> {
  const folder = dirname(env.DATA_DIR ?? '');
  const directory = join(folder, 'mongo');
  await mkdir(directory, { recursive: true });
  // The folder's name is the server's own, also over restarts.
  return Backends.start({ ...more, directory, name: basename(folder).replaceAll(/[^a-zA-Z0-9-]/g, '-') });
}

async function endingWith(backends: Backends, start: () => Promise<RunningServer>): Promise<RunningServer> {
  const end = () => backends[Symbol.asyncDispose]();
  try {
    const server = await start();
    return {
      urls: server.urls,
      // Asked each time: the log of several processes is put together when it is read.
      get log() {
        return server.log;
      },
      drain: () => server.drain(),
      stop: () => server.stop().finally(end),
      kill: () => server.kill().finally(end),
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function startServices(env: Readonly<Record<string, string>>, _: ServerOptions): Promise<RunningServer> {
  const fleet = await Fleet.start({ env });
  return {
    urls: fleet.urls,
    get log() {
      return fleet.services.flatMap((service) => service.log);
    },
    drain: () => Promise.reject(new Error('a process drains when it is stopped')),
    stop: () => fleet.stop(),
    kill: () => fleet.kill(),
  };
}
