import { describe, expect, it } from '@jest/globals';
import { createRules, type Identity, type Release } from '@tidemark/access';
import { brandAs, SyncError, type UserId } from '@tidemark/protocol';
import { silentTelemetry } from '@tidemark/telemetry';
import { Connection } from '../socket/connection.ts';
import { TokenReader } from '../socket/handshake.ts';
import { FakeSocket } from '../testing/fake-socket.ts';
import { testSettings } from '../testing/settings.ts';
import { SessionDoors, type SessionDoorsDeps } from './session-doors.ts';
import type { Subscribing } from './subscribing.ts';

const now = 1_000_000;

/** A token is `<user>` or `<user>/<ms until it expires>`. */
async function verify(token: string): Promise<Identity> {
  const [user = '', livesFor] = token.split('/');
  if (user === 'bad') throw new SyncError('unauthenticated', 'bad');
  const expiresAt = livesFor === undefined ? undefined : now + Number(livesFor);
  return { userId: brandAs<UserId>(user), claims: {}, expiresAt, operator: false };
}

function rig(parts: Partial<SessionDoorsDeps> = {}) {
  const telemetry = silentTelemetry();
  const tokens = new TokenReader({ authenticator: { configured: true, verify }, telemetry, development: false });
  const subscribing = {
    begin: async () => ({ resumed: false, start: () => undefined }),
    openWildcard: () => undefined,
  } as unknown as Subscribing;
  const session = new SessionDoors({
    tokens,
    rules: createRules(undefined, { production: false }),
    perUser: { acquire: () => () => undefined },
    subscribing,
    reader: { historyId: 'h' } as SessionDoorsDeps['reader'],
    fanOut: () => ({ token: () => 't' }) as ReturnType<SessionDoorsDeps['fanOut']>,
    telemetry,
    settings: testSettings({ development: false }),
    now: () => now,
    ...parts,
  });
  const doors = session.doors();
  const send = (connection: Connection, event: string, payload: unknown) => doors[event]!.handle(connection, payload);
  return { session, send };
}

async function connect(token?: string): Promise<Connection> {
  const identity = token === undefined ? undefined : await verify(token);
  return new Connection(new FakeSocket('s').asSocket, { identity, slowClientBytes: 1_000, now });
}

describe('a socket that goes while it joins', () => {
  it('gives its place back and holds no session', async () => {
    let grant: (release: Release) => void = () => undefined;
    const granted = new Promise<Release>((resolve) => {
      grant = resolve;
    });
    let places = 1;
    const perUser = { acquire: () => granted };
    const { send } = rig({ perUser });
    const connection = await connect('alice');
    const joining = send(connection, 'sync:join', {});
    connection.socket.disconnect(true);
    connection.close();
    grant(() => places--);
    await expect(joining).rejects.toMatchObject({ code: 'unavailable' });
    expect(places).toBe(0);
    expect(connection.session).toBeUndefined();
  });
});

describe('a later join', () => {
  it('with a fresh token of the same user lets the session live on, whatever brought the first one', async () => {
    const { send } = rig();
    for (const first of [await connect('alice/5000'), await connect()]) {
      await send(first, 'sync:join', { token: 'alice/5000' });
      await send(first, 'sync:join', { token: 'alice/9000' });
      expect(first.session?.expiresAt).toBe(now + 9_000);
      await send(first, 'sync:join', {});
      expect(first.session?.expiresAt).toBe(now + 9_000);
    }
  });

  it('of another user is refused and changes nothing', async () => {
    const { send } = rig();
    const connection = await connect();
    await send(connection, 'sync:join', { token: 'alice/5000' });
    await expect(send(connection, 'sync:join', { token: 'bob' })).rejects.toMatchObject({ code: 'forbidden' });
    await send(connection, 'sync:join', {});
    expect(connection.session).toMatchObject({ userId: 'alice', expiresAt: now + 5_000 });
  });

  it('decides what the socket is when it has only written so far', async () => {
    const { session, send } = rig();
    const connection = await connect('alice');
    await session.joinSilently(connection);
    expect(connection.session?.modern).toBe(false);
    await send(connection, 'sync:join', { protocol: 1 });
    expect(connection.session?.modern).toBe(true);
  });
});

it('a token that has run out since the handshake gives way to the one of the join', async () => {
  const { send } = rig();
  const connection = await connect('alice/-1');
  await send(connection, 'sync:join', { token: 'alice/5000' });
  expect(connection.session?.expiresAt).toBe(now + 5_000);
});

it('where development has no key, a refresh is taken as the token of the handshake is: not looked at', async () => {
  const authenticator = { configured: false, verify };
  const tokens = new TokenReader({ authenticator, telemetry: silentTelemetry(), development: true });
  const { send } = rig({ tokens, settings: testSettings({ development: true }) });
  const connection = await connect();
  await send(connection, 'sync:join', { userId: 'alice' });
  expect((await send(connection, 'sync:auth', { token: 'bad' })).answer).toEqual({ success: true });
});
