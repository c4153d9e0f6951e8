import { afterEach, describe, expect, it } from '@jest/globals';
import type { ChangesPageMessage, Document } from '@tidemark/protocol';
import { decodeCheckpoint, encodeCheckpoint } from '@tidemark/protocol';
import { type FilterSpec, GatewayWorld, type WorldOptions } from '../testing/gateway-world.ts';
import type { Write } from '../testing/memory-history.ts';
import { differenceOf } from '../testing/model-client.ts';

let world: GatewayWorld | undefined;

afterEach(async () => {
  await world?.stop();
  world = undefined;
});

type Refusal = { success: false; code: string };

/** A client that knows only `sync:get_changes`. */
class Puller {
  readonly documents = new Map<string, Document>();
  pages = 0;
  private readonly on: GatewayWorld;
  private readonly link: ReturnType<GatewayWorld['connect']>;
  private asked = 0;

  private constructor(on: GatewayWorld) {
    this.on = on;
    this.link = on.connect();
  }

  static async join(on: GatewayWorld): Promise<Puller> {
    const puller = new Puller(on);
    await puller.ask('sync:join', { userId: 'ann', protocol: 1 });
    return puller;
  }

  async ask(name: string, payload: unknown): Promise<unknown> {
    const ack = `${name}#${++this.asked}`;
    this.on.send(this.link.connection, { name, payload, ack });
    for (let turn = 0; turn < 500; turn++) {
      for (let packet = this.link.socket.take(); packet !== undefined; packet = this.link.socket.take())
        if (packet.event === `ack:${ack}`) return packet.args[0];
      this.on.network.step();
      await this.on.turns(1);
    }
    throw new Error('no answer');
  }

  async page(request: Record<string, unknown>): Promise<ChangesPageMessage> {
    const page = (await this.ask('sync:get_changes', request)) as ChangesPageMessage;
    expect(page.success).toBe(true);
    expect(page.count).toBe(page.changes.length);
    this.pages++;
    for (const change of page.changes) this.apply(change);
    return page;
  }

  /** Pages until there are no more; between them something happens. */
  async pull(request: Record<string, unknown>, by: 'checkpoint' | 'since', between: () => void = () => undefined) {
    let page = await this.page(request);
    for (let count = 0; page.hasMore; count++) {
      if (count > 500) throw new Error('it does not end');
      between();
      const place = by === 'checkpoint' ? { checkpoint: page.checkpoint } : { since: page.latestTimestamp };
      page = await this.page({ ...request, ...place });
    }
    return page;
  }

  private apply(change: ChangesPageMessage['changes'][number]): void {
    const key = `${change.collection}/${change.documentId as string}`;
    if (change.operation === 'delete') this.documents.delete(key);
    else if (change.operation === 'insert') this.documents.set(key, change.data as Document);
    else {
      const fields: Record<string, unknown> = { ...this.documents.get(key), ...change.data };
      for (const name of change.unset ?? []) delete fields[name];
      const { timestamp, userId, version } = change;
      this.documents.set(key, {
        ...fields,
        sync_updated_at: timestamp,
        _updated_by: userId,
        sync_version: version,
      } as Document);
    }
  }
}

async function start(options: WorldOptions = {}): Promise<GatewayWorld> {
  world = new GatewayWorld(options);
  await world.start();
  return world;
}

function randomWrite({ random }: GatewayWorld): Write {
  const place = { id: `d${random.int(30)}`, collection: random.pick(['tasks', 'notes']) };
  const dice = random.int(10);
  if (dice < 2) return { ...place, operation: 'delete' };
  const data = { team: random.pick(['a', 'b']), ...(random.chance(0.5) && { n: random.int(5) }) };
  if (dice < 4) return { ...place, operation: 'insert', data };
  return { ...place, operation: 'update', data, unset: 'n' in data ? [] : ['n'] };
}

function difference(on: GatewayWorld, puller: Puller, filters: readonly FilterSpec[]): string | undefined {
  return differenceOf(puller.documents, on.view('ann', filters, on.history.position()));
}

const everything = [{ collection: 'tasks' }, { collection: 'notes' }];

describe.each(['checkpoint', 'since'] as const)('paging by %s', (by) => {
  it.each(Array.from({ length: 12 }, (_, index) => index + 1))(
    'misses nothing that is written meanwhile (seed %d)',
    async (seed) => {
      const on = await start({
        seed,
        lanes: 1 + (seed % 3),
        slowness: 2,
        habits: { drop: 0.2, twice: 0.1, swap: 0.2 },
      });
      for (let index = 0; index < 60; index++) on.commit(randomWrite(on));
      const puller = await Puller.join(on);
      let left = 100;
      const write = () => {
        for (let count = on.random.int(4); count > 0 && left > 0; count--, left--) on.commit(randomWrite(on));
      };
      const filters: readonly FilterSpec[] =
        seed % 2 === 0 ? everything : [{ collection: 'tasks', filter: "team == 'a'" }];
      const request = { limit: 1 + on.random.int(7), ...(filters.length === 1 && filters[0]) };
      let last = await puller.pull(request, by, write);
      for (let round = 0; round < 3; round++) {
        for (let count = 0; count < 10; count++) on.commit(randomWrite(on));
        last = await puller.pull(
          { ...request, ...(by === 'since' ? { since: last.latestTimestamp } : { checkpoint: last.checkpoint }) },
          by,
          write,
        );
        expect(difference(on, puller, filters)).toBeUndefined();
      }
      expect(decodeCheckpoint(last.checkpoint)?.position).toEqual(on.history.position());
    },
  );
});

describe('a page', () => {
  it('starts with the documents as they stand, as inserts, then goes on with history', async () => {
    const on = await start();
    on.commit({ operation: 'insert', id: 'a', data: { n: 1 } });
    on.commit({ operation: 'update', id: 'a', data: { n: 2 } });
    const puller = await Puller.join(on);
    const first = await puller.page({});
    expect(first).toMatchObject({ count: 1, hasMore: false });
    expect(first.changes[0]).toMatchObject({ operation: 'insert', data: { n: 2 }, version: 2 });
    on.commit({ operation: 'update', id: 'a', data: { n: 3 } });
    on.commit({ operation: 'delete', id: 'a' });
    const second = await puller.page({ checkpoint: first.checkpoint });
    expect(second.changes.map(({ operation }) => operation)).toEqual(['update', 'delete']);
    expect(await puller.page({ checkpoint: second.checkpoint })).toMatchObject({ count: 0, hasMore: false });
  });

  it('of an empty store is empty and has a place to go on from', async () => {
    const on = await start();
    const puller = await Puller.join(on);
    const first = await puller.page({});
    expect(first).toMatchObject({ count: 0, hasMore: false });
    on.commit({ operation: 'insert', id: 'a' });
    expect((await puller.page({ since: first.latestTimestamp })).count).toBe(1);
  });

  it('takes 0 for no time at all', async () => {
    const on = await start();
    for (const id of ['a', 'b', 'c']) on.commit({ operation: 'insert', id });
    const puller = await Puller.join(on);
    expect((await puller.page({ since: 0 })).changes.map(({ operation }) => operation)).toEqual([
      'insert',
      'insert',
      'insert',
    ]);
  });

  it('tells of documents that no longer match', async () => {
    const on = await start();
    on.commit({ operation: 'insert', id: 'a', data: { team: 'a' } });
    const puller = await Puller.join(on);
    const request = { collection: 'tasks', filter: "team == 'a'" };
    const first = await puller.page(request);
    on.commit({ operation: 'update', id: 'a', data: { team: 'b' } });
    const second = await puller.page({ ...request, checkpoint: first.checkpoint });
    expect(second.changes).toMatchObject([{ operation: 'delete', reason: 'left', documentId: 'a' }]);
  });

  it('repeats rather than skips when the time lies between two known ones', async () => {
    const on = await start();
    on.commit({ operation: 'insert', id: 'a' });
    const puller = await Puller.join(on);
    const { latestTimestamp } = await puller.page({});
    on.commit({ operation: 'insert', id: 'b' });
    const later = await puller.page({ since: latestTimestamp + 50 });
    expect(later.changes.map(({ documentId }) => documentId)).toEqual(['b']);
    const earlier = await puller.page({ since: latestTimestamp - 50 });
    expect(earlier.changes.map(({ documentId }) => documentId)).toEqual(['a', 'b']);
  });

  it('gives two positions two times, also within a millisecond', async () => {
    const on = await start();
    const puller = await Puller.join(on);
    const times: number[] = [];
    for (let index = 0; index < 20; index++) {
      on.commit({ operation: 'insert', id: `d${index}` });
      times.push((await puller.page({ since: times.at(-1) ?? 0 })).latestTimestamp);
    }
    expect(new Set(times).size).toBe(20);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
  });

  it('lists the collection that is asked for when the bookmark is of another', async () => {
    const on = await start();
    for (const id of ['a', 'b', 'c']) {
      on.commit({ operation: 'insert', id });
      on.commit({ operation: 'insert', id, collection: 'notes' });
    }
    const puller = await Puller.join(on);
    const { checkpoint, hasMore } = await puller.page({ collection: 'tasks', limit: 2 });
    expect(hasMore).toBe(true);
    const other = await puller.page({ collection: 'notes', checkpoint });
    expect(other.changes.map(({ collection, documentId }) => `${collection}/${documentId as string}`)).toEqual([
      'notes/a',
      'notes/b',
      'notes/c',
    ]);
  });

  it('ends a listing that was begun before the lanes changed', async () => {
    const on = await start({
      lanes: 2,
      past: (history) => {
        for (const id of ['a', 'b', 'c']) history.commit({ operation: 'insert', id });
        history.startEpoch(3);
        history.commit({ operation: 'update', id: 'a', data: { n: 1 } });
      },
    });
    const { id, epochs } = on.history.history;
    const position = { epoch: epochs[0]!.epoch, seqs: [0, 0] } as unknown as Parameters<
      typeof encodeCheckpoint
    >[0]['position'];
    const checkpoint = encodeCheckpoint({
      historyId: id,
      position,
      listing: { collection: 'tasks' as never, after: 'a' as never },
    });
    const puller = await Puller.join(on);
    await puller.pull({ checkpoint, limit: 1 }, 'checkpoint');
    expect(difference(on, puller, [{ collection: 'tasks' }])).toBeUndefined();
  });

  it.each([
    ['nonsense', () => 'nonsense'],
    [
      'of another history',
      (on: GatewayWorld) => encodeCheckpoint({ historyId: 'x' as never, position: on.history.position() }),
    ],
    [
      'older than the log',
      (on: GatewayWorld) => {
        for (const id of ['a', 'b', 'c']) on.commit({ operation: 'insert', id });
        on.history.trim(0, 3);
        return encodeCheckpoint({
          historyId: on.history.history.id,
          position: { epoch: on.history.epoch.epoch, seqs: [1 as never] },
        });
      },
    ],
  ])('from a checkpoint that is %s is refused: reset_required', async (_, tokenFor) => {
    const on = await start();
    const puller = await Puller.join(on);
    const answer = (await puller.ask('sync:get_changes', { checkpoint: tokenFor(on) })) as Refusal;
    expect(answer).toMatchObject({ success: false, code: 'reset_required' });
  });

  it('from a time before the retained log lists the documents again', async () => {
    const on = await start();
    const puller = await Puller.join(on);
    const { latestTimestamp } = await puller.page({});
    for (const id of ['a', 'b', 'c']) on.commit({ operation: 'insert', id });
    on.commit({ operation: 'delete', id: 'b' });
    on.flush();
    on.history.trim(0, 4);
    await puller.pull({ since: latestTimestamp }, 'since');
    expect(difference(on, puller, [{ collection: 'tasks' }])).toBeUndefined();
  });

  it.each([{ limit: 0 }, { since: 'yesterday' }, { collection: '_sync_x' }, { filter: 'n >' }])(
    'of %j is refused',
    async (request) => {
      const on = await start();
      const puller = await Puller.join(on);
      expect(await puller.ask('sync:get_changes', request)).toMatchObject({ success: false });
    },
  );

  it('asks the log in large steps where there is nothing for it, however small the page', async () => {
    const on = await start({ lanes: 2, settings: { recentBytes: 0 } });
    const puller = await Puller.join(on);
    const { checkpoint } = await puller.page({});
    for (let index = 0; index < 2_000; index++)
      on.commit({ operation: 'insert', collection: 'notes', id: `d${index}` });
    for (const id of ['a', 'b']) on.commit({ operation: 'insert', id });
    on.flush();
    on.history.calls.readLog = 0;
    const page = await puller.page({ collection: 'tasks', limit: 1, checkpoint });
    expect(page).toMatchObject({ changes: [{ documentId: 'a' }], hasMore: true });
    expect(on.history.calls.readLog).toBeLessThan(40);
    expect((await puller.page({ collection: 'tasks', limit: 1, checkpoint: page.checkpoint })).changes).toMatchObject([
      { documentId: 'b' },
    ]);
  });

  it('holds a thousand at most', async () => {
    const on = await start();
    for (let index = 0; index < 1_200; index++) on.commit({ operation: 'insert', id: `d${index}` });
    const puller = await Puller.join(on);
    expect(await puller.page({ limit: 5_000 })).toMatchObject({ count: 1_000, hasMore: true });
    expect(await (await Puller.join(on)).page({})).toMatchObject({ count: 100, hasMore: true });
  });
});
