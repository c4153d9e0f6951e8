import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { MongoClient } from 'mongodb';
import { createClient } from '../create-client.ts';

const run = promisify(execFile);
const image = 'mongo:8';

export interface DockerServer {
  readonly uri: string;
  stop(): Promise<void>;
}

/** The engine, not only the command. */
export async function dockerAnswers(): Promise<boolean> {
  try {
    await run('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 5_000 });
    return true;
  } catch {
    return false;
  }
}

export interface DockerServerOptions {
  /** Where the data lies; in the container, and gone with it, unless given. */
  readonly directory?: string;
  readonly port?: number;
}

/** MongoDB in a container, as a replica set of one. Throws when the image cannot be had. */
export async function startDockerServer({ directory, port }: DockerServerOptions = {}): Promise<DockerServer> {
  const { GenericContainer } = await import('testcontainers');
  const container = await new GenericContainer(image)
    .withCommand(['--replSet', 'rs0', '--bind_ip_all'])
    .withExposedPorts(port === undefined ? 27017 : { container: 27017, host: port })
    .withBindMounts(directory === undefined ? [] : [{ source: resolve(directory), target: '/data/db' }])
    .start();
  const uri = `mongodb://${container.getHost()}:${container.getMappedPort(27017)}/?directConnection=true`;
  await untilPrimary(uri);
  return { uri, stop: async () => void (await container.stop()) };
}

/** Makes a replica set of one, unless it is one. */
export async function initiateReplicaSet(client: MongoClient, member: string): Promise<void> {
  const admin = client.db('admin');
  const hello = await admin.command({ hello: 1 });
  if (hello.isreplicaset !== true) return;
  await admin.command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: member }] } });
}

async function untilPrimary(uri: string): Promise<void> {
  const client = createClient(uri, { serverSelectionTimeoutMS: 30_000 });
  try {
    await initiateReplicaSet(client, '127.0.0.1:27017');
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const hello = await client.db('admin').command({ hello: 1 });
      if (hello.isWritablePrimary === true) return;
      await sleep(100);
    }
    throw new Error('MongoDB in the container does not become primary');
  } finally {
    await client.close();
  }
}
