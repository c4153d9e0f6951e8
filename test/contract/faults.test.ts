import { describe, expect, it, jest } from '@jest/globals';
import type { Store } from '@tidemark/storage';
import { createFaultyBus } from '@tidemark/transport/faults';
import { isInProcess, startServer } from '../rig/server.ts';

jest.setTimeout(30_000);

const inProcess = isInProcess ? describe : describe.skip;

/** The store with some members replaced. */
function overlay(store: Store, members: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const replaced = members[name as keyof Store];
      if (replaced !== undefined) return replaced;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

inProcess('when a part of the server fails', () => {
  it('a bootstrap that cannot be read ends with sync:bootstrap_error; others go on', async () => {
    await using server = await startServer({
      mayLogErrors: true,
      wrap: {
        store: (store) =>
          overlay(store, {
            readDocuments: (read) =>
              read.collection === 'broken' ? Promise.reject(new Error('unreadable')) : store.readDocuments(read),
          }),
      },
    });
    const alice = await server.user('alice');
    const answer = await alice.call('sync:subscribe', { collection: 'broken', id: 's' });
    expect(answer.success).toBe(true);
    expect(await alice.next('sync:bootstrap_error')).toEqual({
      subscription: 's',
      collection: 'broken',
      code: expect.any(String),
      error: expect.any(String),
    });
    await alice.subscribe('fine');
    await alice.write({ collection: 'fine', documentId: 'a', data: {} });
    await alice.mark();
    expect(alice.view.ids('fine')).toEqual(['a']);
  });

  it('an answer of the writer that is lost is "unavailable"; the resend is a duplicate', async () => {
    let isLost = true;
    await using server = await startServer({
      env: { JOB_TIMEOUT_MS: '300' },
      wrap: { bus: (bus) => createFaultyBus(bus, { reply: () => (isLost ? 'drop' : 'deliver') }) },
    });
    const alice = await server.user('alice');
    const change = { id: 'c1', operation: 'insert', collection: 'tasks', documentId: 'a', data: { n: 1 } };
    const ack = await alice.call('sync:change', change);
    expect(ack).toMatchObject({
      changeId: 'c1',
      success: false,
      outcome: 'rejected',
      code: 'unavailable',
      retryAfterMs: expect.any(Number),
    });
    isLost = false;
    expect(await alice.call('sync:change', change)).toMatchObject({ success: true, outcome: 'duplicate' });
  });

  it('too much that waits is "overloaded" with the time to wait, and nothing of it is written', async () => {
    await using server = await startServer({ env: { QUEUE_MAX_DEPTH: '20' } });
    const alice = await server.user('alice');
    const acks = await Promise.all(
      Array.from({ length: 400 }, (_, n) =>
        alice.call('sync:change', { operation: 'insert', collection: 'tasks', documentId: `d${n}`, data: {} }),
      ),
    );
    const refused = acks.filter((ack) => !ack.success);
    expect(refused.length).toBeGreaterThan(0);
    for (const ack of refused) expect(ack).toMatchObject({ code: 'overloaded', retryAfterMs: expect.any(Number) });
    const { count } = await alice.call('sync:get_changes', { collection: 'tasks', limit: 1_000 });
    expect(count).toBe(acks.length - refused.length);
  });
});
