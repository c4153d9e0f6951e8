import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type RedisServer, startRedisServer } from '@tidemark/transport/redis/testing';
import { waitUntil } from './wait-until.ts';

const run = promisify(execFile);

/** Quicker than in production (15,000), so that a test does not wait long. */
const nodeTimeoutMs = 2_000;

/** Three masters with a replica each, as `redis-cli --cluster create` makes them. */
export class RedisCluster implements AsyncDisposable {
  private readonly nodes: readonly RedisServer[];

  private constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes;
  }

  static async start(): Promise<RedisCluster> {
    const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', `${nodeTimeoutMs}`];
    const cluster = new RedisCluster(await Promise.all(Array.from({ length: 6 }, () => startRedisServer({ args }))));
    try {
      const addresses = cluster.nodes.map(({ port }) => `127.0.0.1:${port}`);
      await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes']);
      await cluster.whole();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Of every node, as REDIS_URL takes it. */
  get url(): string {
    return this.nodes.map(({ url }) => url).join(',');
  }

  /** Nodes that serve slots now. */
  async masters(): Promise<readonly RedisServer[]> {
    const roles = await Promise.all(this.nodes.map((node) => cli(node, 'ROLE')));
    return this.nodes.filter((_, index) => roles[index]?.startsWith('master'));
  }

  /** Resolves when every slot is served and every master has a replica that follows. */
  async whole(): Promise<void> {
    const isWhole = async () => {
      const infos = await Promise.all(this.nodes.map((node) => cli(node, 'CLUSTER', 'INFO')));
      const roles = await Promise.all(this.nodes.map((node) => cli(node, 'INFO', 'replication')));
      const following = roles.filter((role) => role?.includes('master_link_status:up'));
      return infos.every((info) => info?.includes('cluster_state:ok')) && following.length === 3;
    };
    await waitUntil(isWhole, { within: 60_000, what: 'the cluster is whole' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()));
  }
}

/** Undefined when the node is down. */
async function cli({ port }: RedisServer, ...command: readonly string[]): Promise<string | undefined> {
  const answer = await run('redis-cli', ['-p', `${port}`, ...command]).catch(() => undefined);
  return answer?.stdout;
}
