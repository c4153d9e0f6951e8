import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, jest } from '@jest/globals';
import type { TestClient } from '../rig/client.ts';
import { Random } from '../rig/random.ts';
import { startServer } from '../rig/server.ts';

jest.setTimeout(120_000);

interface Write {
  readonly author: string;
  readonly change: { readonly id: string; readonly documentId: string; readonly data: { readonly n: number } };
}

const authors = ['ann', 'ben', 'cat'];

/** Writes without a pause until the server is gone; notes what was sent and what was acknowledged. */
async function write(client: TestClient, author: string, books: { sent: Write[]; acked: Set<string> }, round: number) {
  const next = (n: number): Write => {
    const name = `${author}-${round}-${n}`;
    const change = { id: name, operation: 'insert', collection: 'tasks', documentId: name, data: { n } };
    return { author, change };
  };
  for (let n = 0; client.socket.connected; n += 5) {
    const group = [next(n), next(n + 1), next(n + 2), next(n + 3), next(n + 4)];
    books.sent.push(...group);
    const [single, ...batch] = group.map(({ change }) => change);
    const one = client.call('sync:change', single).then((ack) => [ack]);
    const many = client
      .call('sync:changeBatch', { changes: batch, atomic: n % 2 === 0 })
      .then(({ results }) => results);
    const acks = await Promise.all([one, many]).catch(() => []);
    for (const ack of acks.flat()) if (ack.success) books.acked.add(ack.changeId);
  }
}

it('kill -9 during writes, again and again: what was acked is there, resends are duplicates, subscribers resume', async () => {
  const random = new Random(7);
  await using server = await startServer({ process: true, env: { LANES: '2' } });
  const books = { sent: [] as Write[], acked: new Set<string>() };
  let reader = await server.user('reader');
  await reader.subscribe('tasks');
  for (let round = 0; round < 3; round++) {
    const clients = await Promise.all(authors.map((author) => server.user(author)));
    const writing = clients.map((client, index) => write(client, authors[index]!, books, round));
    const { size } = books.acked;
    while (books.acked.size < size + 100) await pause(5);
    await pause(random.below(300));
    await server.kill();
    await Promise.all(clients.map((client) => client.disconnected()));
    await Promise.all(writing);
    await reader.disconnected();
    await server.start();

    const next = await server.connect({ userId: 'reader', view: reader.view });
    const { checkpoint } = reader.view;
    await next.join({ protocol: 1, subscriptions: [{ collection: 'tasks' }], checkpoint });
    await next.mark();
    expect(next.payloads('sync:reset')).toEqual([]);
    expect(next.payloads('sync:bootstrap')).toEqual([]);
    const held = new Set(next.view.ids('tasks'));
    expect([...books.acked].filter((id) => !held.has(id))).toEqual([]);
    reader = next;
  }

  const outcomes = new Map<string, string>();
  for (const author of authors) {
    const client = await server.user(author);
    const own = books.sent.filter((one) => one.author === author).map(({ change }) => change);
    for (let from = 0; from < own.length; from += 100) {
      const { results } = await client.call('sync:changeBatch', { changes: own.slice(from, from + 100) });
      for (const ack of results) outcomes.set(ack.changeId, ack.outcome);
    }
  }
  const lost = [...books.acked].filter((id) => outcomes.get(id) !== 'duplicate');
  expect(lost).toEqual([]);
  expect([...outcomes.values()].every((outcome) => outcome === 'applied' || outcome === 'duplicate')).toBe(true);
  await reader.mark();
  expect(reader.view.ids('tasks')).toHaveLength(books.sent.length);
  const other = await server.user('other');
  await other.subscribe('tasks');
  expect(reader.view.documents('tasks')).toEqual(other.view.documents('tasks'));
});
