import { describe, expect, it } from '@jest/globals';
import type { WriteBatch } from '../local/records.ts';
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
const done = (request: number) => ({ kind: 'done', tab: 'me', request, decided: [] }) as const;

describe('TabRequests', () => {
  it('hears the answers to what it has asked, once', async () => {
    const requests = new TabRequests(silentTabs('me'));
    const kept = requests.send(batchOf('a'));
    const failed = requests.send(batchOf('b'));
    expect(requests.answered({ ...done(1), tab: 'another' })).toBe(false);
    expect([requests.answered(done(1)), requests.answered(done(1))]).toEqual([true, false]);
    expect(requests.answered({ ...done(2), error: { isFull: true, message: 'no room' } })).toBe(true);
    await kept;
    await expect(failed).rejects.toMatchObject({ code: 'full' });
    expect(requests.batches()).toEqual([]);
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
