import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '../rig/wait-until.ts';
import { DemoSite, patience } from './demo-site.ts';
import { Pane } from './pane.ts';
import { storedWrites } from './stored-writes.ts';

const rules = `
collections:
  tasks:
    read: TRUEPREDICATE
    insert: TRUEPREDICATE
    update: TRUEPREDICATE
    delete: TRUEPREDICATE
    schema:
      type: object
      properties:
        title: { type: string, maxLength: 30 }
  "*": { read: TRUEPREDICATE, insert: TRUEPREDICATE, update: TRUEPREDICATE, delete: TRUEPREDICATE }
`;

describe('the demo in a browser', () => {
  let site: DemoSite;
  beforeAll(async () => {
    site = await DemoSite.open();
  }, patience);
  afterAll(async () => await site?.[Symbol.asyncDispose](), patience);

  it(
    'shows the board to both users on first load, and only once fills it',
    async () => {
      await using demo = await site.serve();
      const page = await demo.page(await demo.profile());
      const [ada, ben] = [new Pane(page, 'ada'), new Pane(page, 'ben')];
      await ben.isShown(ben.card('make up'));
      await ada.isSettled();
      await ben.isSettled();
      expect(await ben.titles()).toEqual(await ada.titles());
      const other = new Pane(await demo.page(await demo.profile()), 'ada');
      await other.isShown(other.card('make up'));
      await other.isSettled();
      expect(await other.titles()).toEqual(await ada.titles());
    },
    patience * 2,
  );

  it(
    'shows a change live in another browser, and in the other pane',
    async () => {
      await using demo = await site.serve();
      const here = await demo.page(await demo.profile());
      const there = await demo.page(await demo.profile());
      const [ada, ben, far] = [new Pane(here, 'ada'), new Pane(here, 'ben'), new Pane(there, 'ben')];
      for (const pane of [ada, ben, far]) await pane.isLive();
      await ada.addCard('Seen everywhere');
      await ben.isShown(ben.card('Seen everywhere'));
      await far.isShown(far.card('Seen everywhere'));
      await far.rename('Seen everywhere', 'Renamed far away');
      await ada.isShown(ada.card('Renamed far away'));
      await far.card('Renamed far away').getByRole('button', { name: 'right' }).press('Enter');
      await ada.isShown(ada.root.getByRole('region', { name: 'Doing' }).getByText('Renamed far away'));
      await ben.say('hello');
      await far.isShown(far.message('hello'));
      await waitUntil(async () => /\d ms/.test((await here.getByTestId('latency').textContent()) ?? ''));
    },
    patience * 2,
  );

  it(
    'keeps offline edits over a reload, and brings both sides together afterwards',
    async () => {
      await using demo = await site.serve();
      const page = await demo.page(await demo.profile());
      let [ada, ben] = [new Pane(page, 'ada'), new Pane(page, 'ben')];
      await ada.isShown(ada.card('make up'));
      await ada.isSettled();
      await ada.turn('offline');
      await ada.addCard('Written in the tunnel');
      await ada.rename('make up', 'make down');
      await ada.isShown(ada.root.getByTestId('pending').filter({ hasText: '2 waiting' }));
      await ben.addCard('Written above');
      await ben.isSettled();
      await page.reload();
      [ada, ben] = [new Pane(page, 'ada'), new Pane(page, 'ben')];
      await ada.isShown(ada.root.locator('.state[data-state=paused]'));
      await ada.isShown(ada.card('Written in the tunnel'));
      await ada.isShown(ada.card('make down'));
      await ada.isShown(ada.root.getByTestId('pending').filter({ hasText: '2 waiting' }));
      expect(await ben.titles()).not.toContain('Written in the tunnel');
      await ada.turn('online');
      await ben.isShown(ben.card('Written in the tunnel'));
      await ben.isShown(ben.card('make down'));
      await ada.isShown(ada.card('Written above'));
      await ada.isSettled();
      expect(await ada.titles()).toEqual(await ben.titles());
    },
    patience * 3,
  );

  it(
    'takes a refused write back, with the reason, and leaves the rest',
    async () => {
      await using demo = await site.serve({ rules });
      const page = await demo.page(await demo.profile());
      const ada = new Pane(page, 'ada');
      await ada.isShown(ada.card('make up'));
      await ada.isSettled();
      await ada.turn('offline');
      const long = 'A title that no rule would let pass';
      await ada.rename('make up', long);
      await ada.addCard('A short one');
      await ada.isShown(ada.card(long));
      await ada.turn('online');
      await ada.isShown(ada.notice.filter({ hasText: long }).filter({ hasText: 'schema_violation' }));
      await ada.isShown(ada.card('make up'));
      await ada.isGone(ada.card(long));
      await ada.isSettled();
      const ben = new Pane(page, 'ben');
      await ben.isShown(ben.card('A short one'));
      expect(await ben.titles()).toEqual(await ada.titles());
    },
    patience * 2,
  );

  it(
    'shows a conflict: the later write stays, the earlier one is told why',
    async () => {
      await using demo = await site.serve();
      const page = await demo.page(await demo.profile());
      const [ada, ben] = [new Pane(page, 'ada'), new Pane(page, 'ben')];
      await ada.isShown(ada.card('make up'));
      await Promise.all([ada.isLive(), ben.isLive()]);
      await ada.isSettled();
      await page.getByRole('button', { name: 'Stage a conflict' }).click();
      await ada.isShown(ada.card('Ada’s title'));
      await ada.isShown(ada.notice.filter({ hasText: 'A newer change won' }).filter({ hasText: 'conflict' }));
      await ada.isShown(ada.card('Ben’s title'));
      expect(await ada.titles()).toEqual(await ben.titles());
    },
    patience * 2,
  );

  it(
    'sends a burst, and shows the inside of a client',
    async () => {
      await using demo = await site.serve();
      const page = await demo.page(await demo.profile());
      const [ada, ben] = [new Pane(page, 'ada'), new Pane(page, 'ben')];
      await ada.isLive();
      await ben.isLive();
      await page.getByRole('button', { name: 'Devtools' }).click();
      // It records from when it is shown.
      const panel = page.getByRole('region', { name: 'Devtools: Ben' });
      await ben.isShown(panel);
      await ada.root.getByRole('button', { name: 'Burst' }).click();
      await page
        .getByTestId('narration')
        .filter({ hasText: /Ben had them all after \d+ ms/ })
        .waitFor();
      await ben.isShown(ben.root.locator('.cells:not(:has(i:not([data-author=ada])))'));

      await ben.isShown(panel.getByText('cells/cell-'));
    },
    patience * 2,
  );

  it(
    'shows two tabs the same over one connection, and loses nothing when the one that has it is closed',
    async () => {
      await using demo = await site.serve();
      const profile = await demo.profile();
      const first = await demo.page(profile);
      const ada = new Pane(first, 'ada');
      await ada.isShown(ada.card('make up'));
      await ada.isSettled();
      const other = await demo.page(profile);
      const second = new Pane(other, 'ada');
      await second.isShown(second.card('make up'));
      await second.isLive();
      expect((await demo.server.get('/stats')).body).toMatchObject({ activeConnections: 2 });
      await ada.turn('offline');
      await second.isShown(second.root.locator('.state[data-state=paused]'));
      await ada.addCard('Half written');
      await second.addCard('By the other tab');
      await ada.isShown(ada.card('By the other tab'));
      await second.isShown(second.card('Half written'));
      await waitUntil(async () => (await first.evaluate(storedWrites, 'tidemark-demo-ada')) > 0);
      await first.close();
      await second.turn('online');
      await second.isSettled();
      const ben = new Pane(other, 'ben');
      await ben.isShown(ben.card('Half written'));
      await ben.isShown(ben.card('By the other tab'));
      expect(await second.titles()).toEqual(await ben.titles());
      await ben.say('measured here, too');
      await waitUntil(async () => /\d ms/.test((await other.getByTestId('latency').textContent()) ?? ''));
    },
    patience * 3,
  );

  it(
    'holds 10,000 documents in a live query',
    async () => {
      await using demo = await site.serve();
      const writer = await demo.server.user('seed');
      for (let start = 0; start < 10_000; start += 100) {
        const changes = Array.from({ length: 100 }, (_, index) => ({
          id: `seed-${start + index}`,
          operation: 'insert',
          collection: 'tasks',
          documentId: `many-${start + index}`,
          data: { title: `Task ${start + index}`, column: 'todo', createdAt: start + index },
        }));
        expect(await writer.call('sync:changeBatch', { changes })).toMatchObject({ success: true, successCount: 100 });
      }
      const page = await demo.page(await demo.profile());
      const [ada, ben] = [new Pane(page, 'ada'), new Pane(page, 'ben')];
      const count = (pane: Pane, text: string) =>
        pane.root.getByRole('region', { name: 'To do' }).locator('.count').filter({ hasText: text });
      await ada.isShown(count(ada, '10,000'));
      await ben.isShown(count(ben, '10,000'));
      await ada.addCard('One more');
      await ben.isShown(count(ben, '10,001'));
      await ben.isShown(ben.card('One more'));
    },
    patience * 3,
  );
});
