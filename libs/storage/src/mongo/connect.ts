import {
  type Document,
  type MongoClient,
  type MongoClientOptions,
  MongoParseError,
  MongoServerSelectionError,
} from 'mongodb';
import { StoreError } from '../store-error.ts';
import { createClient } from './create-client.ts';

export interface ConnectOptions {
  /** A connection string. Its own options win over ours. */
  readonly uri: string;
  /** Connections at most. */
  readonly poolSize: number;
  /** A command that has no answer after so many ms is given up. */
  readonly socketTimeoutMs: number;
}

/** How long a call waits for a primary. */
const serverSelectionTimeoutMs = 5_000;
/** MongoDB 6.0. */
const oldestWireVersion = 17;

const standalone =
  'MongoDB runs as a standalone server, without transactions: start mongod with --replSet rs0, then run rs.initiate() once in mongosh';
const uninitiated = 'the replica set of MongoDB has not been initiated: run rs.initiate() once in mongosh';

export interface Connected {
  readonly client: MongoClient;
  /** Of the primary: 17 is MongoDB 6.0, 25 is 8.0. */
  readonly wireVersion: number;
}

/**
 * A connected client. Throws StoreError: `unavailable` when no primary answers in time, `invalid` when the server is one
 * that cannot be used, with what to do about it.
 */
export async function connect({ uri, poolSize, socketTimeoutMs }: ConnectOptions): Promise<Connected> {
  const client = parseUri(
    uri,
    withoutGiven(uri, {
      appName: 'tidemark',
      maxPoolSize: poolSize,
      socketTimeoutMS: socketTimeoutMs,
      serverSelectionTimeoutMS: serverSelectionTimeoutMs,
    }),
  );
  try {
    await client.connect();
    const hello = await client.db('admin').command({ hello: 1 });
    checkServer(hello);
    return { client, wireVersion: hello.maxWireVersion };
  } catch (error) {
    await client.close().catch(() => undefined);
    throw startError(error);
  }
}

/** The driver would let our options win over those of the connection string. */
function withoutGiven(uri: string, options: MongoClientOptions): MongoClientOptions {
  const given = new Set([...new URLSearchParams(uri.split('?')[1]).keys()].map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(options).filter(([name]) => !given.has(name.toLowerCase())));
}

function parseUri(uri: string, options: MongoClientOptions): MongoClient {
  try {
    return createClient(uri, options);
  } catch (error) {
    // The driver's message may quote the connection string, password and all.
    const reason = error instanceof MongoParseError ? 'it cannot be parsed' : 'the driver refuses it';
    throw new StoreError('invalid', `MONGODB_URI is no connection string of MongoDB: ${reason}`);
  }
}

function checkServer(hello: Document): void {
  const isReplicaSet = typeof hello.setName === 'string' || hello.msg === 'isdbgrid';
  if (!isReplicaSet) throw new StoreError('invalid', hello.isreplicaset === true ? uninitiated : standalone);
  if (hello.maxWireVersion < oldestWireVersion) throw new StoreError('invalid', 'MongoDB 6.0 or later is needed');
}

function startError(error: unknown): unknown {
  if (error instanceof StoreError) return error;
  const servers = error instanceof MongoServerSelectionError ? [...(error.reason?.servers.values() ?? [])] : [];
  if (servers.some((server) => server.type === 'RSGhost')) return new StoreError('invalid', uninitiated, error);
  return new StoreError('unavailable', `MongoDB does not answer: ${(error as Error).message}`, error);
}
