import { afterEach, describe, expect, it } from '@jest/globals';
import { createRules, parseRules } from '@tidemark/access';
import { decodeCheckpoint, encodeCheckpoint, type Position } from '@tidemark/protocol';
import { StoreError } from '@tidemark/storage';
import type { FakeSocket } from '../testing/fake-socket.ts';
import { GatewayWorld, type WorldOptions } from '../testing/gateway-world.ts';
import type { MemoryHistory } from '../testing/memory-history.ts';

let world: GatewayWorld | undefined;

afterEach(async () => {
  await world?.stop();
  world = undefined;
});

async function start(options: WorldOptions = {}): Promise<GatewayWorld> {
  world = new GatewayWorld(options);
  await world.start();
  return world;
}

type Message = { readonly event: string; readonly args: unknown[] };

/** A client that notes all it is sent, and does nothing about it. */
class Ear {
  readonly heard: Message[] = [];
  readonly socket: FakeSocket;
  private readonly world: GatewayWorld;
  private readonly connection: ReturnType<GatewayWorld['connect']>['connection'];
  private acks = 0;

  constructor(of: GatewayWorld) {
    this.world = of;
    ({ socket: this.socket, connection: this.connection } = of.connect());
  }

  /** Sends without waiting; the answer is heard as `ack:<name>`. */
  say(name: string, payload: unknown = {}): string {
    const ack = `${name}#${++this.acks}`;
    this.world.send(this.connection, { name, payload, ack });
    return `ack:${ack}`;
  }

  async ask(name: string, payload: unknown = {}): Promise<Record<string, unknown>> {
    const ack = this.say(name, payload);
    await this.hear((message) => message.event === ack);
    return this.heard.find((message) => message.event === ack)!.args[0] as Record<string, unknown>;
  }

  /** Listens until such a message has come. */
  async hear(test: (message: Message) => boolean): Promise<Message> {
    for (let turn = 0; turn < 200; turn++) {
      this.listen();
      const found = this.heard.find(test);
      if (found !== undefined) return found;
      await this.world.turns(1);
    }
    throw new Error(`not heard; but ${JSON.stringify(this.heard.map(({ event }) => event))}`);
  }

  /** Everything that is under way comes. */
  async rest(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) {
      this.world.flush();
      await this.world.turns(1);
      this.listen();
    }
  }

  of(event: string): unknown[][] {
    return this.heard.filter((message) => message.event === event).map(({ args }) => args);
  }

  /** Ids of the changes that came, with their operation. */
  get changes(): string[] {
    return this.of('sync:changes').flatMap(([changes]) =>
      (changes as { documentId: string; operation: string; reason?: string }[]).map(
        ({ documentId, operation, reason }) => `${reason ?? operation} ${documentId}`,
      ),
    );
  }

  get lastToken(): string {
    const tokens = this.heard.flatMap(({ args }) =>
      args.flatMap((arg) => (arg as { checkpoint?: string }).checkpoint ?? []),
    );
    return tokens.at(-1) ?? '';
  }

  close(): void {
    this.world.close(this.connection);
  }

  private listen(): void {
    for (let packet = this.socket.take(); packet !== undefined; packet = this.socket.take()) this.heard.push(packet);
  }
}

const insert = (
  id: string,
  data: Record<string, string | number | boolean> = {},
  more: { origin?: string; emitTo?: string[] } = {},
) => ({ operation: 'insert', id, data, ...more }) as const;
const update = (id: string, data: Record<string, string | number | boolean>, more: { origin?: string } = {}) =>
  ({ operation: 'update', id, data, ...more }) as const;

async function modern(on: GatewayWorld, payload: Record<string, unknown> = {}): Promise<Ear> {
  const ear = new Ear(on);
  await ear.ask('sync:join', { userId: 'ann', protocol: 1, ...payload });
  return ear;
}

/** Tokens `user/team`; a task is its team's. */
const teams: WorldOptions = {
  authenticator: {
    configured: true,
    verify: async (token) => {
      const [sub = '', team = ''] = token.split('/');
      return { userId: sub, claims: { sub, team }, expiresAt: undefined, operator: false } as never;
    },
  },
  rules: createRules(parseRules('collections: { tasks: { read: "team == $user.team" } }', 'rules.yaml'), {
    production: true,
  }),
};

describe('a modern client', () => {
  it('is sent nothing before its first subscription', async () => {
    const on = await start();
    const ear = await modern(on);
    on.commit(insert('a'));
    await ear.rest();
    on.read.parts().fanOut().announcePosition();
    await ear.rest();
    expect(ear.heard.map(({ event }) => event)).toEqual(['ack:sync:join#1', 'joined']);
  });

  it('hears the answer, then pages, then what has changed since', async () => {
    const on = await start();
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) on.commit(insert(id));
    const ear = await modern(on);
    ear.say('sync:subscribe', { id: 's1', collection: 'tasks' });
    await ear.hear(({ event, args }) => event === 'sync:bootstrap' && !(args[0] as { hasMore: boolean }).hasMore);
    on.commit(update('a', { n: 1 }));
    await ear.rest();
    const events = ear.heard.map(({ event }) => event);
    expect([...new Set(events.slice(2))]).toEqual(['ack:sync:subscribe#2', 'sync:bootstrap', 'sync:changes']);
    expect(ear.of('sync:bootstrap')).toHaveLength(2);
    expect(ear.changes.at(-1)).toBe('update a');
  });

  it('gets one empty page when nothing matches', async () => {
    const on = await start();
    const ear = await modern(on);
    await ear.ask('sync:subscribe', { id: 's1', collection: 'tasks' });
    await ear.rest();
    expect(ear.of('sync:bootstrap')).toEqual([
      [{ subscription: 's1', collection: 'tasks', data: [], page: 0, hasMore: false, checkpoint: expect.any(String) }],
    ]);
  });

  it('gets its own changes back, in order, and a change once however many subscriptions see it', async () => {
    const on = await start();
    const ear = await modern(on);
    await ear.ask('sync:subscribe', { id: 's1', collection: 'tasks' });
    await ear.ask('sync:subscribe', { id: 's2', collection: 'tasks', filter: 'n > 0' });
    await ear.ask('sync:mark');
    on.commit(insert('a', { n: 1 }, { origin: ear.socket.id }));
    on.commit(insert('b', { n: 1 }));
    on.commit(update('a', { n: 0 }));
    await ear.rest();
    expect(ear.changes).toEqual(['insert a', 'insert b', 'update a']);
  });

  it('keeps a document that leaves one subscription and not the other, and loses one that leaves the last', async () => {
    const on = await start();
    const ear = await modern(on);
    await ear.ask('sync:subscribe', { id: 's1', collection: 'tasks', filter: 'n > 0' });
    await ear.ask('sync:subscribe', { id: 's2', collection: 'tasks', filter: 'n > 5' });
    await ear.ask('sync:mark');
    on.commit(insert('a', { n: 9 }));
    on.commit(update('a', { n: 3 }));
    on.commit(update('a', { n: 0 }));
    await ear.rest();
    expect(ear.changes).toEqual(['insert a', 'update a', 'left a']);
  });

  it('hears of each subscription by its answer first, when it sends several without waiting', async () => {
    const on = await start();
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) on.commit(insert(id));
    const ear = new Ear(on);
    ear.say('sync:join', { userId: 'ann', protocol: 1 });
    for (const id of ['s1', 's2', 's3', 's4']) ear.say('sync:subscribe', { id, collection: 'tasks' });
    await ear.rest();
    const answered = ear.of('ack:sync:subscribe#2').length;
    expect(answered).toBe(1);
    ['s1', 's2', 's3', 's4'].forEach((id, index) => {
      const answer = ear.heard.findIndex(({ event }) => event === `ack:sync:subscribe#${index + 2}`);
      const page = ear.heard.findIndex(({ args }) => (args[0] as { subscription?: string }).subscription === id);
      expect(page).toBeGreaterThan(answer);
    });
  });

  it('is told where history is when it has been sent nothing for a while, once', async () => {
    const on = await start();
    const ear = await modern(on);
    await ear.ask('sync:subscribe', { id: 's1', collection: 'tasks', filter: 'n > 5' });
    await ear.ask('sync:mark');
    on.commit(insert('a', { n: 1 }));
    await ear.rest();
    const fanOut = on.read.parts().fanOut();
    for (let index = 0; index < 3; index++) fanOut.announcePosition();
    await ear.rest();
    expect(ear.of('sync:checkpoint')).toEqual([[{ checkpoint: fanOut.token(undefined) }]]);
    expect(decodeCheckpoint(fanOut.token(undefined))?.position).toEqual(on.history.position());
  });
});

describe('a mark', () => {
  it('is answered after everything that was committed before it', async () => {
    const on = await start({ slowness: 3 });
    const ear = await modern(on);
    await ear.ask('sync:subscribe', { id: 's1', collection: 'tasks' });
    on.commit(insert('a'));
    on.commit(insert('b'));
    await ear.ask('sync:mark');
    const known = ear.heard.flatMap(({ args }) => JSON.stringify(args)).join();
    for (const id of ['"a"', '"b"']) expect(known).toContain(id);
  });

  it('of a client without subscriptions is answered at once', async () => {
    const on = await start();
    on.commit(insert('a'));
    const ear = await modern(on);
    expect(await ear.ask('sync:mark')).toMatchObject({ success: true });
  });

  it('is bounded', async () => {
    const on = await start({ settings: { slowClientBytes: 1 } });
    for (let index = 0; index < 40; index++) on.commit(insert(`d${index}`, { text: 'x'.repeat(100) }));
    const ear = await modern(on);
    ear.say('sync:subscribe', { id: 's1', collection: 'tasks' });
    for (let index = 0; index < 120; index++) ear.say('sync:mark');
    await on.turns(50);
    await ear.rest();
    const answers = ear.heard.filter(({ event }) => event.startsWith('ack:sync:mark'));
    expect(answers).toHaveLength(120);
    const codes = answers.map(({ args }) => (args[0] as { code?: string }).code);
    expect(codes.filter((code) => code === 'overloaded')).toHaveLength(20);
  });
});

describe('resuming', () => {
  it('sends what was missed, and no documents again', async () => {
    const on = await start();
    on.commit(insert('a', { n: 1 }));
    on.commit(insert('b', { n: 1 }));
    const first = await modern(on, { subscriptions: [{ id: 's1', collection: 'tasks', filter: 'n > 0' }] });
    await first.rest();
    on.read.parts().fanOut().announcePosition();
    await first.rest();
    const token = first.lastToken;
    first.close();
    on.commit(update('a', { n: 0 }));
    on.commit({ operation: 'delete', id: 'b' });
    on.commit(insert('c', { n: 5 }));
    const second = await modern(on, {
      subscriptions: [{ id: 's1', collection: 'tasks', filter: 'n > 0' }],
      checkpoint: token,
    });
    await second.rest();
    expect(second.of('sync:bootstrap')).toEqual([]);
    expect(second.changes).toEqual(['left a', 'deleted b', 'insert c']);
    expect((second.of('ack:sync:join#1')[0]![0] as { checkpoint: string }).checkpoint).toBe(token);
  });

  it('continues those that it held, and lists those that are new to it', async () => {
    const on = await start();
    on.commit(insert('a', { n: 1 }));
    const token = encodeCheckpoint({ historyId: on.history.history.id, position: on.history.position() });
    on.commit(insert('b', { n: 9 }));
    const ear = await modern(on, {
      subscriptions: [
        { id: 's1', collection: 'tasks', filter: 'n < 5' },
        { id: 's2', collection: 'tasks', filter: 'n > 5', bootstrap: true },
      ],
      checkpoint: token,
    });
    await ear.rest();
    expect(ear.of('sync:bootstrap').map(([page]) => (page as { subscription: string }).subscription)).toEqual(['s2']);
    expect(ear.changes).toEqual(['insert b']);
  });

  const futures: readonly (readonly [string, (on: GatewayWorld) => string])[] = [
    ['is no token', () => 'nonsense'],
    [
      'is of another history',
      (on) => encodeCheckpoint({ historyId: 'other' as never, position: on.history.position() }),
    ],
    ['is ahead', (on) => tokenAt(on, [99])],
    ['has more lanes than there are', (on) => tokenAt(on, [0, 0])],
    ['says that documents were read in the future', (on) => tokenAt(on, [0], [99])],
    [
      'is of an epoch that never was',
      (on) =>
        encodeCheckpoint({
          historyId: on.history.history.id,
          position: { epoch: 9, seqs: [0] } as unknown as Position,
        }),
    ],
    [
      'is a bookmark of sync:get_changes',
      (on) =>
        encodeCheckpoint({
          historyId: on.history.history.id,
          position: on.history.position(),
          listing: { collection: 'tasks' as never, after: undefined },
        }),
    ],
  ];

  it.each(futures)('from what %s succeeds, then resets, then lists everything', async (_, tokenFor) => {
    const on = await start();
    on.commit(insert('a'));
    on.flush();
    await on.turns(2);
    const ear = new Ear(on);
    const subscriptions = [{ id: 's1', collection: 'tasks' }];
    const answer = await ear.ask('sync:join', { userId: 'ann', protocol: 1, subscriptions, checkpoint: tokenFor(on) });
    expect(answer).toMatchObject({ success: true, subscriptionIds: ['s1'] });
    await ear.rest();
    expect(ear.heard.map(({ event }) => event)).toEqual(['ack:sync:join#1', 'joined', 'sync:reset', 'sync:bootstrap']);
    expect(ear.of('sync:reset')).toEqual([[{ reason: expect.any(String), collections: ['tasks'] }]]);
    expect(await ear.ask('sync:mark')).toMatchObject({ success: true });
    expect(on.history.calls.readLog ?? 0).toBeLessThan(5);
  });

  it('from before the retained log resets', async () => {
    const on = await start();
    for (const id of ['a', 'b', 'c']) on.commit(insert(id));
    on.flush();
    on.history.trim(0, 2);
    const subscriptions = [{ id: 's1', collection: 'tasks' }];
    const ear = await modern(on, { subscriptions, checkpoint: tokenAt(on, [1]) });
    await ear.rest();
    expect(ear.of('sync:reset')).toHaveLength(1);
    const served = await modern(on, { subscriptions, checkpoint: tokenAt(on, [2]) });
    await served.rest();
    expect(served.of('sync:reset')).toHaveLength(0);
    expect(served.changes).toEqual(['insert c']);
  });

  it('from an epoch that has ended goes through its end into the present one', async () => {
    const past = (history: MemoryHistory) => {
      for (const id of ['a', 'b', 'c', 'd']) history.commit(insert(id));
      history.startEpoch(3);
      for (const id of ['a', 'e', 'f']) history.commit(insert(id, { n: 2 }));
    };
    const on = await start({ lanes: 2, past });
    const token = tokenAt(on, [1, 0]);
    const before = on.history.stateAt(decodeCheckpoint(token)!.position);
    const ear = await modern(on, { subscriptions: [{ id: 's1', collection: 'tasks' }], checkpoint: token });
    await ear.rest();
    expect(ear.of('sync:reset')).toEqual([]);
    const known = new Set([
      ...[...before.keys()].map((key) => key.slice(6)),
      ...ear.changes.map((change) => change.slice(7)),
    ]);
    expect([...known].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(decodeCheckpoint(ear.lastToken)?.position).toEqual(on.history.position());
  });
});

function tokenAt(on: GatewayWorld, seqs: readonly number[], wholeThrough?: readonly number[]): string {
  const { epoch } = on.history.history.epochs[0]!;
  const checkpoint = {
    historyId: on.history.history.id,
    position: { epoch, seqs },
    ...(wholeThrough && { wholeThrough }),
  };
  return encodeCheckpoint(checkpoint as unknown as Parameters<typeof encodeCheckpoint>[0]);
}

describe('a listing', () => {
  it('begins anew when the rights change in the middle of it', async () => {
    const on = await start({ ...teams, settings: { slowClientBytes: 1 } });
    for (let index = 0; index < 60; index++)
      on.commit(
        insert(`d${String(index).padStart(2, '0')}`, { team: index % 2 === 0 ? 'a' : 'b', text: 'x'.repeat(50) }),
      );
    on.flush();
    const ear = new Ear(on);
    await ear.ask('sync:join', { token: 'ann/a', protocol: 1 });
    await ear.ask('sync:subscribe', { id: 's1', collection: 'tasks' });
    await on.turns(20);
    const ack = ear.say('sync:auth', { token: 'ann/b' });
    await ear.hear(({ event }) => event === ack);
    await ear.rest();
    const reset = ear.heard.findIndex(({ event }) => event === 'sync:reset');
    const pages = ear.heard.slice(reset).filter(({ event }) => event === 'sync:bootstrap');
    const numbers = pages.map(({ args }) => (args[0] as { page: number }).page);
    expect(reset).toBeGreaterThan(0);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    const ids = pages.flatMap(({ args }) => (args[0] as { data: { _id: string; team: string }[] }).data);
    expect(ids.filter(({ team }) => team === 'b')).toHaveLength(30);
    expect(ids.filter(({ team }) => team === 'a')).toHaveLength(0);
  });

  it('goes on where it stopped when the store fails for a moment', async () => {
    const on = await start();
    for (let index = 0; index < 20; index++) on.commit(insert(`d${index}`));
    on.flush();
    const ear = await modern(on);
    ear.say('sync:subscribe', { id: 's1', collection: 'tasks' });
    await ear.hear(({ event }) => event === 'sync:bootstrap');
    on.history.faults.push(new StoreError('unavailable', 'away'), new StoreError('unavailable', 'away'));
    await ear.rest();
    const pages = ear.of('sync:bootstrap').map(([page]) => page as { page: number; data: unknown[] });
    expect(pages.map(({ page }) => page)).toEqual(pages.map((_, index) => index));
    expect(pages.flatMap(({ data }) => data)).toHaveLength(20);
    expect(ear.of('sync:bootstrap_error')).toEqual([]);
  });

  it('is not given up for failures of different pages', async () => {
    const on = await start({ settings: { bootstrapPage: 8 } });
    for (let index = 0; index < 80; index++) on.commit(insert(`d${index}`));
    on.flush();
    const ear = await modern(on);
    ear.say('sync:subscribe', { id: 's1', collection: 'tasks' });
    for (let page = 0; page < 6; page++) {
      await ear.hear(({ event, args }) => event === 'sync:bootstrap' && (args[0] as { page: number }).page === page);
      on.history.faults.push(new StoreError('unavailable', 'away'));
    }
    await ear.rest();
    expect(ear.of('sync:bootstrap_error')).toEqual([]);
    expect(ear.of('sync:bootstrap').flatMap(([page]) => (page as { data: unknown[] }).data)).toHaveLength(80);
  });

  it('comes under another id only when the client knows it', async () => {
    const on = await start();
    for (let index = 0; index < 40; index++) on.commit(insert(`d${index}`));
    on.flush();
    // Whatever the moment between two reads of the store at which the set is replaced.
    for (let moment = 0; moment < 80; moment++) {
      const ear = await modern(on);
      await ear.ask('sync:subscribe', { id: 'old', collection: 'tasks' });
      for (let step = 0; step < moment; step++) await Promise.resolve();
      const ack = ear.say('sync:update_subscriptions', { subscriptions: [{ id: 'new', collection: 'tasks' }] });
      await ear.rest();
      const place = ear.heard.findIndex(({ event }) => event === ack);
      const ids = ear.heard.map(({ event, args }) =>
        event === 'sync:bootstrap' ? (args[0] as { subscription: string }).subscription : undefined,
      );
      expect({ moment, ids: ids.slice(0, place) }).not.toMatchObject({ ids: expect.arrayContaining(['new']) });
      expect({ moment, ids: ids.slice(place) }).not.toMatchObject({ ids: expect.arrayContaining(['old']) });
      ear.close();
    }
  });

  it('that cannot be read is given up, alone', async () => {
    const on = await start();
    on.commit(insert('a'));
    on.flush();
    const ear = await modern(on);
    await ear.ask('sync:subscribe', { id: 's1', collection: 'tasks' });
    await ear.ask('sync:mark');
    for (let index = 0; index < 4; index++) on.history.faults.push(new StoreError('unavailable', 'away'));
    ear.say('sync:subscribe', { id: 's2', collection: 'notes' });
    await ear.rest();
    expect(ear.of('sync:bootstrap_error')).toEqual([
      [{ subscription: 's2', collection: 'notes', code: 'unavailable', error: expect.any(String) }],
    ]);
    on.commit(insert('b'));
    await ear.rest();
    expect(ear.changes).toEqual(['insert b']);
  });

  it('ends without a word when it is no longer wanted', async () => {
    const on = await start({ settings: { slowClientBytes: 1 } });
    for (let index = 0; index < 60; index++) on.commit(insert(`d${index}`, { text: 'x'.repeat(50) }));
    const ear = await modern(on);
    ear.say('sync:subscribe', { id: 's1', collection: 'tasks' });
    await on.turns(20);
    const ack = ear.say('sync:unsubscribe', { subscriptionId: 's1' });
    await ear.rest();
    const end = ear.heard.findIndex(({ event }) => event === ack);
    expect(end).toBeGreaterThan(0);
    expect(ear.heard.slice(end).filter(({ event }) => event === 'sync:bootstrap')).toEqual([]);
    expect(ear.of('sync:bootstrap').length).toBeLessThan(15);
  });
});

describe('a client that does not read', () => {
  it('is held back, and misses nothing when it reads again', async () => {
    const on = await start({ settings: { slowClientBytes: 500 } });
    const ear = await modern(on);
    await ear.ask('sync:subscribe', { id: 's1', collection: 'tasks' });
    await ear.ask('sync:mark');
    for (let index = 0; index < 300; index++) {
      on.commit(insert(`d${index}`, { text: 'x'.repeat(100) }));
      on.flush();
      await on.turns(1);
    }
    expect(ear.socket.conn.writeBuffer.length).toBeLessThan(10);
    await ear.rest();
    expect(ear.changes).toEqual(Array.from({ length: 300 }, (_, index) => `insert d${index}`));
  });
});

describe('a client that comes back', () => {
  const subscriptions = [{ id: 's1', collection: 'tasks' }];

  async function away(on: GatewayWorld, token: string): Promise<string> {
    const ear = new Ear(on);
    await ear.ask('sync:join', { token, protocol: 1, subscriptions });
    await ear.rest();
    on.commit(insert('c', { team: 'a' }));
    await ear.rest();
    ear.close();
    return ear.lastToken;
  }

  it('with other rights is sent everything anew: documents of both teams stood still meanwhile', async () => {
    const on = await start(teams);
    on.commit(insert('a', { team: 'a' }));
    on.commit(insert('b', { team: 'b' }));
    on.flush();
    const checkpoint = await away(on, 'ann/a');
    const back = new Ear(on);
    await back.ask('sync:join', { token: 'ann/b', protocol: 1, subscriptions, checkpoint });
    await back.rest();
    const events = back.heard.map(({ event }) => event);
    expect(events.slice(0, 4)).toEqual(['ack:sync:join#1', 'joined', 'sync:reset', 'sync:bootstrap']);
    expect(back.of('sync:bootstrap')).toMatchObject([[{ data: [{ _id: 'b' }], hasMore: false }]]);
    expect(await back.ask('sync:get_changes', { checkpoint })).toMatchObject({
      success: false,
      code: 'reset_required',
    });
    expect(await back.ask('sync:get_changes', { checkpoint: back.lastToken })).toMatchObject({
      success: true,
      count: 0,
    });
  });

  it('from an ended epoch may hold documents of today: it is sent whole ones until now', async () => {
    const past = (history: MemoryHistory) => {
      history.commit(insert('d', { n: 1 }));
      history.commit(update('d', { n: 2 }));
      history.startEpoch(2);
      history.commit(update('d', { n: 3 }));
      history.commit({ operation: 'delete', id: 'd' });
      history.commit(insert('e'));
    };
    const on = await start({ past });
    const { id } = on.history.history;
    // Its listing came when `d` was gone already, and nothing after it.
    const checkpoint = encodeCheckpoint({ historyId: id, position: { epoch: 1, seqs: [1] } as unknown as Position });
    const back = await modern(on, { subscriptions, checkpoint });
    await back.rest();
    expect(back.of('sync:reset')).toEqual([]);
    on.commit(update('e', { n: 1 }));
    await back.rest();
    expect(back.changes).toEqual(['insert d', 'insert d', 'deleted d', 'insert e', 'update e']);
  });

  it('with the rights that it had goes on, whatever else its token says', async () => {
    const on = await start(teams);
    const checkpoint = await away(on, 'ann/a');
    on.commit(insert('d', { team: 'a' }));
    const back = new Ear(on);
    const answer = await back.ask('sync:join', { token: 'ann/a/again', protocol: 1, subscriptions, checkpoint });
    await back.rest();
    expect(answer.checkpoint).toBe(checkpoint);
    expect(back.changes).toEqual(['insert d']);
    expect(back.of('sync:reset')).toEqual([]);
  });
});

describe('an old client', () => {
  it('sees by its new rights also when the join that brought them could not go on', async () => {
    const on = await start(teams);
    const ear = new Ear(on);
    const { checkpoint } = await ear.ask('sync:join', { token: 'ann/a' });
    on.history.faults.push(new StoreError('unavailable', 'away'));
    const again = { token: 'ann/b', subscriptions: [{ collection: 'tasks' }], checkpoint };
    expect(await ear.ask('sync:join', again)).toMatchObject({ success: false, code: 'unavailable' });
    on.commit(insert('a', { team: 'a' }));
    on.commit(insert('b', { team: 'b' }));
    await ear.rest();
    expect(ear.changes).toEqual(['insert b']);
  });

  it('is sent all that it may read until it subscribes, except its own writes', async () => {
    const rules = createRules(parseRules('collections: { "*": { read: "hidden != true" } }', 'rules.yaml'), {
      production: true,
    });
    const on = await start({ rules });
    const ear = new Ear(on);
    await ear.ask('sync:join', { userId: 'ann' });
    await ear.rest();
    on.commit(insert('a'));
    on.commit({ ...insert('n'), collection: 'notes' });
    on.commit(insert('b', { hidden: true }));
    on.commit(insert('c', {}, { origin: ear.socket.id }));
    await ear.rest();
    expect(ear.changes).toEqual(['insert a', 'insert n']);
    await ear.ask('sync:subscribe', { id: 's1', collection: 'notes' });
    await ear.rest();
    on.commit(insert('d'));
    on.commit({ ...insert('m'), collection: 'notes' });
    await ear.rest();
    expect(ear.changes).toEqual(['insert a', 'insert n', 'insert m']);
  });

  it('is told when its own update brings a document into its view, or takes it out', async () => {
    const on = await start();
    const ear = new Ear(on);
    await ear.ask('sync:join', { userId: 'ann' });
    await ear.ask('sync:subscribe', { id: 's1', collection: 'tasks', filter: 'n > 0' });
    await ear.ask('sync:mark');
    const own = { origin: ear.socket.id };
    on.commit(insert('a', { n: 0 }, own));
    on.commit(update('a', { n: 1 }, own));
    on.commit(update('a', { n: 2 }, own));
    on.commit(update('a', { n: 0 }, own));
    await ear.rest();
    expect(ear.changes).toEqual(['insert a', 'left a']);
  });

  it('gets its own writes with BROADCAST_TO_SENDER', async () => {
    const on = await start({ settings: { broadcastToSender: true } });
    const ear = new Ear(on);
    await ear.ask('sync:join', { userId: 'ann' });
    await ear.rest();
    on.commit(insert('a', {}, { origin: ear.socket.id }));
    await ear.rest();
    expect(ear.changes).toEqual(['insert a']);
  });
});

describe('a gateway that lost its place in history', () => {
  it('has everyone who holds a position start again', async () => {
    const on = await start({ habits: { drop: 1, twice: 0, swap: 0 } });
    const ear = await modern(on);
    const idle = await modern(on);
    await ear.ask('sync:subscribe', { id: 's1', collection: 'tasks' });
    await ear.ask('sync:mark');
    for (const id of ['a', 'b', 'c']) on.commit(insert(id));
    on.history.trim(0, 2);
    await ear.rest();
    await idle.rest();
    expect(ear.of('sync:reset')).toHaveLength(1);
    expect(ear.of('sync:bootstrap').at(-1)).toMatchObject([{ data: [{ _id: 'a' }, { _id: 'b' }, { _id: 'c' }] }]);
    expect(idle.of('sync:reset')).toHaveLength(0);
  });
});

describe('a delivery that is narrowed to some users', () => {
  it('goes live to their sockets alone', async () => {
    const on = await start();
    const ann = await modern(on);
    const eve = new Ear(on);
    await eve.ask('sync:join', { userId: 'eve', protocol: 1 });
    for (const ear of [ann, eve]) {
      await ear.ask('sync:subscribe', { id: 's1', collection: 'tasks' });
      await ear.ask('sync:mark');
    }
    on.commit(insert('a', {}, { emitTo: ['ann'] }));
    on.commit(insert('b'));
    for (const ear of [ann, eve]) await ear.rest();
    expect(ann.changes).toEqual(['insert a', 'insert b']);
    expect(eve.changes).toEqual(['insert b']);
  });
});
