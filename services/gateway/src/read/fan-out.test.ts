import { describe, expect, it } from '@jest/globals';
import {
  brandAs,
  type CollectionName,
  type DeliveredMessage,
  decodeCheckpoint,
  type Position,
  type UserId,
} from '@tidemark/protocol';
import { bindQuery, parseQuery } from '@tidemark/rql';
import { silentTelemetry } from '@tidemark/telemetry';
import { MemoryHistory, type Write } from '../testing/memory-history.ts';
import { FanOut } from './fan-out.ts';
import { Feed } from './feed.ts';
import { GroupIndex } from './group-index.ts';
import type { Receiver } from './receiver.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

interface Sent {
  readonly ids: readonly string[];
  readonly event: string;
  readonly changes: string[];
  readonly token: string;
}

class TestReceiver implements Receiver {
  readonly id: string;
  readonly userId = brandAs<UserId>('ann');
  readonly echo: boolean;
  rights: string | undefined;
  attached = true;
  told: Position | undefined;
  clogged = false;
  behind: Position | undefined;
  losses = 0;
  readonly link = {
    id: 'unused',
    send: () => undefined,
    isClogged: () => this.clogged,
    whenDrained: async () => undefined,
  };

  constructor(id: string, echo = true) {
    this.id = id;
    this.echo = echo;
  }

  fallBehind(position: Position): void {
    this.attached = false;
    this.behind = position;
  }

  loseHistory(): void {
    this.losses++;
  }
}

function rig(lanes = 1) {
  const history = new MemoryHistory({ lanes });
  const telemetry = silentTelemetry();
  const groups = new GroupIndex();
  const sent: Sent[] = [];
  const bus = { subscribeFeed: async () => async () => undefined };
  const feed = new Feed({ log: history, history: history.history, bus, telemetry, recentBytes: 1_000 });
  const fanOut = new FanOut(
    {
      feed,
      groups,
      historyId: history.history.id,
      telemetry,
      beforeEntry: () => undefined,
      broadcast: (ids, event, ...args) => {
        const [changes, place] = event === 'sync:changes' ? args : [[], args[0]];
        sent.push({
          ids: [...ids],
          event,
          changes: (changes as DeliveredMessage[]).map(
            ({ operation, documentId }) => `${operation} ${documentId as string}`,
          ),
          token: (place as { checkpoint: string }).checkpoint,
        });
      },
    },
    history.position(),
  );
  const receive = (id: string, filters: readonly string[], echo = true) => {
    const receiver = new TestReceiver(id, echo);
    fanOut.add(receiver);
    for (const filter of filters)
      groups.enter(brandAs<CollectionName>('tasks'), bindQuery(parseQuery(filter), { args: [] }), receiver);
    return receiver;
  };
  const write = (...writes: readonly Write[]) => {
    for (const one of writes) fanOut.onEntries([history.commit(one)!]);
  };
  return { history, feed, fanOut, sent, receive, write };
}

const insert = (id: string, data = {}, more = {}): Write => ({ operation: 'insert', id, data, ...more });

describe('the fan-out', () => {
  it('makes one message of what one turn brings, with the position after all of it', async () => {
    const { receive, write, sent, history } = rig(2);
    receive('s1', ['']);
    write(insert('a'), insert('b'), insert('c'));
    await turn();
    write(insert('d'));
    await turn();
    expect(sent.map(({ changes }) => changes)).toEqual([['insert a', 'insert b', 'insert c'], ['insert d']]);
    expect(decodeCheckpoint(sent[1]!.token)?.position).toEqual(history.position());
  });

  it('sends one message to all who see the same, however they are subscribed', async () => {
    const { receive, write, sent } = rig();
    receive('s1', ["team == 'a'"]);
    receive('s2', ["team == 'a'"]);
    receive('s3', ["team == 'a'", 'n > 0']);
    receive('s4', ['n > 0', "team == 'a'"]);
    receive('s5', ["team == 'b'"]);
    write(insert('x', { team: 'a', n: 1 }));
    await turn();
    expect(new Set(sent.map(({ ids }) => ids.join()))).toEqual(new Set(['s1,s2', 's3,s4']));
    expect(sent.map(({ changes }) => changes)).toEqual([['insert x'], ['insert x']]);
  });

  it('gives those of other rights a token of their own', async () => {
    const { receive, write, sent } = rig();
    const [a, b] = ['a'.repeat(16), 'b'.repeat(16)];
    for (const [id, rights] of [
      ['s1', a],
      ['s2', b],
      ['s3', a],
      ['s4', undefined],
    ] as const)
      receive(id, ['']).rights = rights;
    write(insert('x'));
    await turn();
    const seen = sent.map(({ event, ids, token }) => [event, ids.join(), decodeCheckpoint(token)?.rights]);
    expect(seen).toEqual([
      ['sync:changes', 's1,s3', a],
      ['sync:changes', 's2', b],
      ['sync:changes', 's4', undefined],
    ]);
  });

  it('says nothing to those who see nothing of it', async () => {
    const { receive, write, sent, fanOut, history } = rig();
    const receiver = receive('s1', ["team == 'a'"]);
    write(insert('x', { team: 'b' }));
    await turn();
    expect(sent).toEqual([]);
    fanOut.announcePosition();
    fanOut.announcePosition();
    expect(sent).toEqual([{ ids: ['s1'], event: 'sync:checkpoint', changes: [], token: fanOut.token(undefined) }]);
    expect(receiver.told).toEqual(history.position());
  });

  it('lets one fall behind that does not read, from before what it was not sent', async () => {
    const { receive, write, sent, fanOut } = rig();
    const slow = receive('slow', ['']);
    receive('quick', ['']);
    const before = fanOut.position;
    slow.clogged = true;
    write(insert('a'));
    await turn();
    expect(slow.behind).toEqual(before);
    expect(sent.map(({ ids }) => ids)).toEqual([['quick']]);
    write(insert('b'));
    fanOut.announcePosition();
    await turn();
    expect(sent.flatMap(({ ids }) => ids)).not.toContain('slow');
  });

  it('gives an old client that wrote in it a message of its own', async () => {
    const { receive, write, sent } = rig();
    receive('writer', [''], false);
    receive('old', [''], false);
    receive('modern', ['']);
    write(insert('a', {}, { origin: 'writer' }), insert('b', {}, { origin: 'modern' }));
    await turn();
    const changesOf = (id: string) => sent.filter(({ ids }) => ids.includes(id)).flatMap(({ changes }) => changes);
    expect(changesOf('writer')).toEqual(['insert b']);
    expect(changesOf('old')).toEqual(['insert a', 'insert b']);
    expect(changesOf('modern')).toEqual(['insert a', 'insert b']);
  });

  it('forgets those that are removed', async () => {
    const { receive, fanOut, history } = rig();
    const receiver = receive('s1', ['']);
    fanOut.remove(receiver);
    fanOut.announcePosition();
    history.commit(insert('a'));
    fanOut.onLost();
    expect([receiver.told, receiver.losses]).toEqual([undefined, 0]);
  });

  it('wakes those who wait for a position when it has been sent', async () => {
    const { receive, write, sent, fanOut, history, feed } = rig();
    await feed.start(() => ({ onEntries: () => undefined, onLost: () => undefined }));
    receive('s1', ['']);
    write(insert('a'));
    let reached = false;
    const waiting = fanOut.reach({ ...history.position() }).then(() => {
      reached = true;
    });
    expect(reached).toBe(false);
    await waiting;
    expect(sent).toHaveLength(1);
    await fanOut.reach(history.position());
  });
});
