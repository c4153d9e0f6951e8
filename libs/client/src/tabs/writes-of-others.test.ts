import { beforeEach, describe, expect, it } from '@jest/globals';
import { brandAs, type DocumentKey } from '@tidemark/protocol/core';
import { ManualClock } from '../../test/manual-clock.ts';
import { settle } from '../../test/settle.ts';
import { Emitter } from '../emitter.ts';
import type { ClientEvents } from '../events.ts';
import { HybridClock } from '../hybrid-clock.ts';
import { LocalDatabase } from '../local/database.ts';
import { LocalStoreError } from '../local/port.ts';
import type { OutboxEntry, WriteBatch } from '../local/records.ts';
import { SubscriptionSet } from '../sync/subscription-set.ts';
import type { TabClient } from './shared-driver.ts';
import type { TabMessage, Tabs } from './tabs.ts';
import { WritesOfOthers } from './writes-of-others.ts';

let database: LocalDatabase;
let events: Emitter<ClientEvents>;
let isFull: boolean;
let flushes: number;
let posted: TabMessage[];
let endOfTab: () => void;
let others: WritesOfOthers;

beforeEach(() => {
  database = new LocalDatabase(new HybridClock(() => 1), 'c1');
  events = new Emitter<ClientEvents>(() => {});
  [isFull, flushes, posted] = [false, 0, []];
  const flushed = async () => {
    flushes += 1;
    if (isFull) throw new LocalStoreError('full', 'no room');
    database.takeDirty();
  };
  const ended = new Promise<void>((resolve) => {
    endOfTab = resolve;
  });
  const tabs = { id: 'leader', post: (message: TabMessage) => posted.push(message), ended: () => ended };
  const client = { database, events, flushed, clock: new ManualClock(), adopt: () => {} };
  const subscriptions = new SubscriptionSet(database);
  others = new WritesOfOthers(
    tabs as unknown as Tabs,
    { ...client, subscriptions } as unknown as TabClient,
    () => false,
  );
});

const entry = (id: string): OutboxEntry => ({
  ...{ id, operation: 'insert', collection: 'tasks', documentId: id, key: brandAs<DocumentKey>(id) },
  ...{ data: {}, unset: [], timestamp: 1, stage: 'accepted', bytes: 1 },
});
const subscription = { id: 's1', key: 'k', collection: 'tasks', filter: '', args: [], claimedAt: 5 };

async function ask(request: number, batch: Partial<WriteBatch>): Promise<void> {
  const nothing = { putDocuments: [], deleteDocuments: [], putEntries: [], deleteEntries: [] };
  const whole = { ...nothing, putSubscriptions: [], deleteSubscriptions: [], ...batch };
  await others.take({ kind: 'write', tab: 'a', request, batch: whole });
}

describe('a request', () => {
  it('that comes once more is neither done nor answered again', async () => {
    isFull = true;
    await ask(1, { putEntries: [entry('w')] });
    isFull = false;
    await ask(1, { putEntries: [entry('w')] });
    expect(posted).toMatchObject([{ kind: 'done', request: 1, error: { isFull: true } }]);
    expect({ flushes, left: database.outbox.size }).toEqual({ flushes: 1, left: 0 });
    await ask(2, { putEntries: [entry('v')] });
    expect(posted[1]).toEqual({ kind: 'done', tab: 'a', request: 2, decided: [] });
  });

  it('is new again when its tab has ended', async () => {
    await ask(5, {});
    endOfTab();
    await settle();
    await ask(1, {});
    expect(posted).toMatchObject([{ request: 5 }, { request: 1 }]);
  });

  it('for a write that the server has decided begins nothing, does not fail for want of room, and says so when that is stored', async () => {
    events.emit('settled', { changeId: 'w', outcome: 'applied' });
    isFull = true;
    await ask(1, { putEntries: [entry('w')] });
    isFull = false;
    await ask(2, { putEntries: [entry('w'), entry('v')] });
    expect({ posted, left: [...database.outbox.entries()].map(({ id }) => id) }).toEqual({
      posted: [
        { kind: 'done', tab: 'a', request: 1, decided: [] },
        { kind: 'done', tab: 'a', request: 2, decided: ['w'] },
      ],
      left: ['v'],
    });
  });

  it('for what the last leader has written does not fail for want of room, with what is new it does', async () => {
    database.load({ documents: [], entries: [entry('w')], subscriptions: [subscription], meta: undefined });
    isFull = true;
    await ask(1, { putEntries: [entry('w')] });
    await ask(2, { putEntries: [entry('w'), entry('v')] });
    await ask(3, { putEntries: [entry('w')], deleteEntries: ['x'], putSubscriptions: [subscription] });
    expect(posted.map((message) => message.kind === 'done' && message.error?.isFull)).toEqual([undefined, true, true]);
    expect([...database.outbox.entries()].map(({ id }) => id)).toEqual(['w']);
  });
});
