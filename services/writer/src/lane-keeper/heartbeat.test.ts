import { describe, expect, it } from '@jest/globals';
import { brandAs, type Epoch, type Lane } from '@tidemark/protocol';
import { type CommitStore, StoreError } from '@tidemark/storage';
import { silentTelemetry } from '@tidemark/telemetry';
import type { FeedMessage } from '@tidemark/transport';
import { createInProcessBus } from '@tidemark/transport/inprocess';
import { beat, type HeartbeatDeps } from './heartbeat.ts';

const lane = (value: number) => brandAs<Lane>(value);
const epoch = brandAs<Epoch>(1);

function storeAt(heads: readonly number[], before: () => void = () => undefined): CommitStore {
  return {
    async transact(request, decide) {
      before();
      expect(request).not.toHaveProperty('fence');
      const nothing = () => undefined;
      return decide({ head: (at) => heads[at] as never, state: nothing, outcome: nothing }).result;
    },
  };
}

async function heard(spec: Partial<HeartbeatDeps>): Promise<readonly FeedMessage[]> {
  const bus = createInProcessBus();
  const messages: FeedMessage[] = [];
  await bus.subscribeFeed((message) => messages.push(message));
  const { logger } = silentTelemetry();
  const onStale = () => undefined;
  const deps = { store: storeAt([7, 0, 9]), bus, epoch, timeoutMs: 1_000, logger, quietLanes: () => [], onStale };
  await beat({ ...deps, ...spec });
  return messages;
}

describe('a heartbeat', () => {
  it('tells the heads of the quiet lanes, as the store has them', async () => {
    expect(await heard({ quietLanes: () => [lane(0), lane(2)] })).toEqual([
      { epoch, lane: 0, head: 7, entries: [] },
      { epoch, lane: 2, head: 9, entries: [] },
    ]);
  });

  it('leaves out a lane that got work while the store answered', async () => {
    let quiet = [lane(0), lane(2)];
    const store = storeAt([7, 0, 9], () => {
      quiet = [lane(2)];
    });
    expect((await heard({ store, quietLanes: () => quiet })).map((message) => message.lane)).toEqual([2]);
  });

  it('asks nobody when there is nothing to tell', async () => {
    const store = storeAt([], () => {
      throw new Error('asked');
    });
    expect(await heard({ store })).toEqual([]);
  });

  it('tells when the epoch is over, and only then', async () => {
    const told: string[] = [];
    const onStale = ({ kind }: StoreError) => void told.push(kind);
    for (const kind of ['unavailable', 'stale_epoch'] as const) {
      const store = storeAt([], () => {
        throw new StoreError(kind, 'as told');
      });
      expect(await heard({ store, onStale, quietLanes: () => [lane(0)] })).toEqual([]);
    }
    expect(told).toEqual(['stale_epoch']);
  });

  it('survives a store that is away and a bus that hangs', async () => {
    const store = storeAt([], () => {
      throw new StoreError('unavailable', 'away');
    });
    expect(await heard({ store, quietLanes: () => [lane(0)] })).toEqual([]);
    const bus = { ...createInProcessBus(), publishFeed: () => new Promise<void>(() => undefined) };
    expect(await heard({ bus: bus as never, timeoutMs: 1, quietLanes: () => [lane(0)] })).toEqual([]);
  });
});
