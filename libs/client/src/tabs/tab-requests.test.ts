import { describe, expect, it } from '@jest/globals';
import type { StoredState, WriteBatch } from '../local/records.ts';
import { TabRequests } from './tab-requests.ts';
import type { Tabs } from './tabs.ts';

/** Nobody hears it. */
function silentTabs(id: string): Tabs {
  return {
    id,
    post: () => {},
    listen: () => {},
    tryToLead: async () => false,
    waitToLead: () => new Promise(() => {}),
    ended: () => new Promise(() => {}),
    close: () => {},
  };
}

const entry = (id: string) => ({ id }) as WriteBatch['putEntries'][number];
const batchOf = (...ids: string[]): WriteBatch => ({
  putDocuments: [],
  deleteDocuments: [],
  putEntries: ids.map(entry),
  deleteEntries: [],
  putSubscriptions: [],
  deleteSubscriptions: [],
});
const stateOf = (...ids: string[]): StoredState => ({
  documents: [],
  entries: ids.map(entry),
  subscriptions: [],
  meta: undefined,
});
const done = (request: number) => ({ kind: 'done', tab: 'me', request }) as const;

describe('TabRequests', () => {
  it('names what was decided before the store was read, once it hears that it was kept', async () => {
    const requests = new TabRequests(silentTabs('me'));
    const sent = requests.send(batchOf('a', 'b'));
    requests.compare(stateOf('b'));
    expect(requests.answered({ ...done(1), tab: 'another' })).toEqual([]);
    expect(requests.answered(done(1))).toEqual(['a']);
    expect(requests.answered(done(1))).toEqual([]);
    await sent;
  });

  it('names none that the leader has told of since, none that could not be kept, and none without a reading', async () => {
    const requests = new TabRequests(silentTabs('me'));
    const told = requests.send(batchOf('a'));
    requests.compare(stateOf());
    requests.told(batchOf('a'));
    expect(requests.answered(done(1))).toEqual([]);
    const failed = requests.send(batchOf('b'));
    requests.compare(stateOf());
    expect(requests.answered({ ...done(2), error: { isFull: true, message: 'no room' } })).toEqual([]);
    await expect(failed).rejects.toMatchObject({ code: 'full' });
    const unread = requests.send(batchOf('c'));
    expect(requests.answered(done(3))).toEqual([]);
    await Promise.all([told, unread]);
  });

  it('refuses what is open and what comes when its tab is closed', async () => {
    const requests = new TabRequests(silentTabs('me'));
    const open = requests.send(batchOf('a'));
    requests.close();
    await expect(open).rejects.toMatchObject({ code: 'closed' });
    await expect(requests.send(batchOf('b'))).rejects.toMatchObject({ code: 'closed' });
    expect(requests.batches()).toEqual([]);
  });
});
