import { describe, expect, it } from '@jest/globals';
import { brandAs, SyncError, type UserId } from '@tidemark/protocol';
import { StoreError } from '@tidemark/storage';
import { silentTelemetry } from '@tidemark/telemetry';
import { type Door, type Reply, refusal } from '../doors/door.ts';
import { FakeSocket } from '../testing/fake-socket.ts';
import { Connection } from './connection.ts';
import { Dispatcher, incomingEvent } from './dispatcher.ts';
import type { Session } from './session.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const userId = brandAs<UserId>('ann');

function session(expiresAt?: number): Session {
  return { userId, author: { userId, claims: {} }, modern: true, expiresAt, operator: false };
}

/** Doors that wait until the test opens them, and a note of what happened when. */
class Rig {
  readonly notes: string[] = [];
  readonly socket = new FakeSocket('s1');
  readonly connection: Connection;
  private readonly open = new Map<string, (error?: unknown) => void>();
  private readonly dispatcher: Dispatcher;
  private readonly finished: Promise<void>[] = [];

  constructor({ joined = true, identity = false }: { joined?: boolean; identity?: boolean } = {}) {
    const known = { userId, claims: {}, expiresAt: undefined, operator: false };
    this.connection = new Connection(this.socket.asSocket, {
      identity: identity ? known : undefined,
      slowClientBytes: 1_000,
      now: 0,
    });
    if (joined) this.connection.session = session();
    const doors = Object.fromEntries(
      (['open', 'joined', 'ordered', 'join'] as const).map((kind) => [kind, this.door(kind)]),
    );
    this.dispatcher = new Dispatcher({
      doors: { ...doors, 'sync:auth': this.door('ordered') },
      joinSilently: async (connection) => {
        if (identity) connection.session ??= session();
      },
      telemetry: silentTelemetry(),
      now: () => 1_000,
    });
  }

  send(name: string, label: string, { callback = true, oversized = false } = {}): void {
    const answer = (value: unknown) => this.notes.push(`${label} answered ${JSON.stringify(value)}`);
    const event = { name, payload: label, callback: callback ? answer : undefined, oversized };
    this.finished.push(this.dispatcher.dispatch(this.connection, event));
  }

  async let(label: string, error?: unknown): Promise<void> {
    this.open.get(label)?.(error);
    await turn();
  }

  get errors(): unknown[] {
    const packets = [];
    for (let packet = this.socket.take(); packet !== undefined; packet = this.socket.take())
      if (packet.event === 'sync:error') packets.push(packet.args[0]);
    return packets;
  }

  private door(kind: Door['kind']): Door {
    return {
      kind,
      handle: (connection, payload) => {
        const label = String(payload);
        this.notes.push(`${label} begins`);
        return new Promise<Reply>((resolve, reject) => {
          this.open.set(label, (error) => {
            if (error !== undefined) return reject(error);
            if (kind === 'join') connection.session = session();
            resolve({ answer: label, failures: [], afterwards: () => this.notes.push(`${label} afterwards`) });
          });
        });
      },
      refuse: refusal,
    };
  }
}

describe('an event', () => {
  it('is led to its door, answered, and only then followed by what comes of it', async () => {
    const rig = new Rig();
    rig.send('joined', 'a');
    await rig.let('a');
    expect(rig.notes).toEqual(['a begins', 'a answered "a"', 'a afterwards']);
  });

  it.each(['nothing', 'toString', '__proto__', 'constructor', 'disconnect'])(
    'that does not exist is refused: %s',
    async (name) => {
      const rig = new Rig();
      rig.send(name, 'a');
      await turn();
      expect(rig.notes.join()).toContain('invalid_message');
      rig.send(name, 'b', { callback: false });
      expect(rig.errors).toMatchObject([{ event: name, code: 'invalid_message' }]);
    },
  );

  it('that is too large is refused before its door', async () => {
    const rig = new Rig();
    rig.send('joined', 'a', { oversized: true });
    await turn();
    expect(rig.notes).toEqual([expect.stringContaining('too_large')]);
  });

  it('before the join is refused, except where it may', async () => {
    const rig = new Rig({ joined: false });
    rig.send('joined', 'a');
    rig.send('open', 'b');
    await turn();
    expect(rig.notes.join()).toContain('unauthenticated');
    expect(rig.notes).toContain('b begins');
  });

  it('after the token has run out is refused, except the one that brings a fresh one', async () => {
    const rig = new Rig();
    rig.connection.session = session(999);
    rig.send('joined', 'a');
    rig.send('sync:auth', 'b');
    await turn();
    expect(rig.notes.join()).toContain('token_expired');
    expect(rig.notes).toContain('b begins');
  });

  it.each([
    [new SyncError('rate_limited', 'slowly', { retryAfterMs: 5 }), { code: 'rate_limited', retryAfterMs: 5 }],
    [new StoreError('unavailable', 'mongodb://user:secret@host is away'), { code: 'unavailable', retryAfterMs: 1_000 }],
    [new StoreError('trimmed', 'secret'), { code: 'reset_required' }],
    [new TypeError('secret is not a function'), { code: 'internal' }],
  ])('that fails with %s is refused without a secret', async (error, expected) => {
    const rig = new Rig();
    rig.send('joined', 'a', { callback: false });
    await rig.let('a', error);
    const errors = rig.errors;
    expect(errors).toMatchObject([{ event: 'joined', ...expected }]);
    expect(JSON.stringify(errors)).not.toContain('secret');
  });

  it('floods nobody: past a thousand at work the next are refused, and room comes back', async () => {
    const rig = new Rig();
    for (let index = 0; index < 1_000; index++) rig.send('joined', `e${index}`);
    rig.send('joined', 'late');
    rig.send('ordered', 'later');
    await turn();
    expect(rig.notes.filter((note) => note.includes('overloaded'))).toHaveLength(2);
    expect(rig.connection.busy).toBe(1_000);
    await rig.let('e7');
    rig.send('joined', 'again');
    expect(rig.notes).toContain('again begins');
  });
});

describe('order', () => {
  it('holds back what follows a join until it is answered', async () => {
    const rig = new Rig({ joined: false });
    rig.send('join', 'join');
    rig.send('joined', 'write');
    rig.send('ordered', 'subscribe');
    await turn();
    expect(rig.notes).toEqual(['join begins']);
    await rig.let('join');
    expect(rig.notes.slice(0, 3)).toEqual(['join begins', 'join answered "join"', 'join afterwards']);
    expect(rig.notes.slice(3).sort()).toEqual(['subscribe begins', 'write begins']);
  });

  it('lets no ordered event begin before the one in front is answered and followed up', async () => {
    const rig = new Rig();
    for (const label of ['a', 'b', 'c']) rig.send('ordered', label);
    for (const label of ['a', 'b', 'c']) await rig.let(label);
    expect(rig.notes).toEqual(
      ['a', 'b', 'c'].flatMap((label) => [`${label} begins`, `${label} answered "${label}"`, `${label} afterwards`]),
    );
  });

  it('goes on after one that fails', async () => {
    const rig = new Rig();
    rig.send('ordered', 'a');
    rig.send('ordered', 'b');
    await rig.let('a', new SyncError('invalid_query', 'no'));
    expect(rig.notes).toEqual(['a begins', expect.stringContaining('invalid_query'), 'b begins']);
  });

  it('does not hold back writes for each other', () => {
    const rig = new Rig();
    rig.send('joined', 'a');
    rig.send('joined', 'b');
    expect(rig.notes).toEqual(['a begins', 'b begins']);
  });

  it('joins a socket with a token by itself when it writes at once, keeping the order of its writes', async () => {
    const rig = new Rig({ joined: false, identity: true });
    for (const label of ['a', 'b', 'c']) rig.send('joined', label);
    await turn();
    expect(rig.notes).toEqual(['a begins', 'b begins', 'c begins']);
  });
});

describe('what comes from the wire', () => {
  const callback = () => undefined;

  it.each<[string, unknown[], object]>([
    ['a name alone', ['x'], { name: 'x', payload: undefined, callback: undefined }],
    ['a payload', ['x', 1], { name: 'x', payload: 1, callback: undefined }],
    ['a payload and a callback', ['x', 1, callback], { name: 'x', payload: 1, callback }],
    ['a callback alone', ['x', callback], { name: 'x', payload: undefined, callback }],
    ['more than it should', ['x', 1, 2, 3, callback], { name: 'x', payload: 1, callback }],
    ['a name that is none', [7, 1], { name: '7', payload: 1 }],
  ])('may be %s', (_, packet, expected) => {
    expect(incomingEvent(packet, false)).toMatchObject(expected);
  });
});
