import { randomBytes } from 'node:crypto';
import { type MongoServer, startMongo } from '@tidemark/storage/mongo-testing';
import { type RedisServer, type RedisServerOptions, startRedisServer } from '@tidemark/transport/redis/testing';

export interface BackendOptions {
  /** False: MongoDB alone. */
  readonly redis?: RedisServerOptions | false;
  /** Where MongoDB keeps its data; a folder of its own, removed at the end, unless given. */
  readonly directory?: string;
  /** Names the database and the keys in Redis; one that nobody has used yet, unless given. */
  readonly name?: string;
}

/** The servers below a fleet, of the test's own. */
export class Backends implements AsyncDisposable {
  readonly mongo: MongoServer;
  /** Where services find them. */
  readonly env: Readonly<Record<string, string>>;
  private readonly redisServer: RedisServer | undefined;

  private constructor(mongo: MongoServer, redis: RedisServer | undefined, name: string) {
    this.mongo = mongo;
    this.redisServer = redis;
    this.env = {
      MONGODB_URI: mongo.uri,
      MONGODB_DATABASE: name,
      ...(redis && { REDIS_URL: redis.url, REDIS_KEY_PREFIX: name }),
    };
  }

  static async start({ redis = {}, directory, name = newName() }: BackendOptions = {}): Promise<Backends> {
    const mongo = await startMongo({ ...(directory !== undefined && { directory }) });
    try {
      return new Backends(mongo, redis === false ? undefined : await startRedisServer(redis), name);
    } catch (error) {
      await mongo.stop();
      throw error;
    }
  }

  get redis(): RedisServer {
    if (this.redisServer === undefined) throw new Error('these backends have no Redis');
    return this.redisServer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.redisServer?.[Symbol.asyncDispose]();
    await this.mongo.stop();
  }
}

export function newName(): string {
  return `t${randomBytes(6).toString('hex')}`;
}
