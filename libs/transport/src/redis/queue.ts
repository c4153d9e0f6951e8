import { brandAs, type Lane, SyncError } from '@tidemark/protocol';
import type { ConsumeOptions, Consumer, JobHandler, JobQueue, WriteJob } from '../port.ts';
import { callRedis } from './call.ts';
import type { RedisConnections } from './connections.ts';
import { type RedisKeys, redisKeys } from './keys.ts';
import { type LaneConsumer, openLaneConsumer } from './lane-consumer.ts';
import { type LaneJobs, openLaneJobs } from './lane-jobs.ts';
import { queueDefaults, type RedisQueueOptions, type RedisQueueSettings } from './queue-settings.ts';

export interface RedisQueue extends JobQueue {
  /** For tests: as if this process died. Its jobs are delivered again when their locks have run out. */
  kill(): Promise<void>;
}

/** A BullMQ queue per lane. Jobs outlive our processes; with Redis' append-only file they outlive Redis. */
export function createRedisQueue(connections: RedisConnections, options: RedisQueueOptions = {}): RedisQueue {
  return new BullQueue(connections, { ...queueDefaults, ...options });
}

class BullQueue implements RedisQueue {
  private readonly connections: RedisConnections;
  private readonly settings: RedisQueueSettings;
  private readonly keys: RedisKeys;
  private readonly lanes = new Map<Lane, Promise<LaneJobs>>();
  private readonly consumers = new Set<LaneConsumer>();
  private closing: Promise<void> | undefined;

  constructor(connections: RedisConnections, settings: RedisQueueSettings) {
    this.connections = connections;
    this.settings = settings;
    this.keys = redisKeys(connections.keyPrefix);
  }

  async enqueue(job: WriteJob): Promise<void> {
    await this.call(async () => (await this.laneJobs(job.lane)).add(job));
  }

  async consume(lane: Lane, options: ConsumeOptions, handler: JobHandler): Promise<Consumer> {
    this.refuseWhenClosed();
    const consumer = await openLaneConsumer(this.connections, this.settings, { lane, options, handler });
    if (this.closing !== undefined) await consumer.close();
    this.refuseWhenClosed();
    this.consumers.add(consumer);
    return {
      close: async () => {
        await consumer.close();
        this.consumers.delete(consumer);
      },
    };
  }

  depth(): Promise<ReadonlyMap<Lane, number>> {
    return this.call(async () => {
      const members = await this.connections.commands().smembers(this.keys.lanes);
      const lanes = new Set([...this.lanes.keys(), ...members.map((member) => brandAs<Lane>(Number(member)))]);
      const depths = [...lanes].map(async (lane) => [lane, await (await this.laneJobs(lane)).depth()] as const);
      return new Map(await Promise.all(depths));
    });
  }

  async check(): Promise<void> {
    this.refuseWhenClosed();
    const client = this.connections.commands();
    await callRedis(client, this.connections.checkTimeoutMs, () => client.ping());
  }

  close(): Promise<void> {
    this.closing ??= this.end((consumer) => consumer.close());
    return this.closing;
  }

  async kill(): Promise<void> {
    this.closing ??= this.end((consumer) => consumer.kill());
    await this.closing;
  }

  private async end(stop: (consumer: LaneConsumer) => Promise<void>): Promise<void> {
    await Promise.all([...this.consumers].map(stop));
    this.consumers.clear();
    const lanes = await Promise.allSettled(this.lanes.values());
    this.lanes.clear();
    await Promise.all(lanes.map((lane) => (lane.status === 'fulfilled' ? lane.value.close() : undefined)));
  }

  private call<T>(call: () => Promise<T>): Promise<T> {
    this.refuseWhenClosed();
    return callRedis(this.connections.commands(), this.connections.commandTimeoutMs, call);
  }

  /** Opened once; a lane that could not be opened is tried again by the next call. */
  private laneJobs(lane: Lane): Promise<LaneJobs> {
    let jobs = this.lanes.get(lane);
    if (jobs === undefined) {
      jobs = openLaneJobs(this.connections, this.settings, lane);
      jobs.catch(() => this.lanes.delete(lane));
      this.lanes.set(lane, jobs);
    }
    return jobs;
  }

  private refuseWhenClosed(): void {
    const { retryAfterMs } = this.settings;
    if (this.closing !== undefined) throw new SyncError('unavailable', 'The queue is closed.', { retryAfterMs });
  }
}
