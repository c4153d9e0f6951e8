import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import type { TestClient } from '../rig/client.ts';
import { waitUntil } from '../rig/wait-until.ts';
import { type DemoServer, DemoSite, patience, tabPage } from './demo-site.ts';
// For the type of `tab` in the page.
import type {} from './tab-page/main.ts';

/** Of each tab. */
const edits = 200;

/** Two tabs of one user, and somebody else who sees what the server commits. */
class TwoTabs {
  readonly leader: Page;
  readonly follower: Page;
  readonly witness: TestClient;
  /** Ids of writes that either program was told are kept. */
  readonly durable: ReadonlySet<string>;

  private constructor(parts: Pick<TwoTabs, 'leader' | 'follower' | 'witness' | 'durable'>) {
    this.leader = parts.leader;
    this.follower = parts.follower;
    this.witness = parts.witness;
    this.durable = parts.durable;
  }

  static async open(server: DemoServer): Promise<TwoTabs> {
    const witness = await server.server.user('witness');
    for (const collection of ['edits', 'counters']) await witness.subscribe(collection);
    const profile = await server.profile();
    const durable = new Set<string>();
    await profile.exposeFunction('durable', (id: string) => void durable.add(id));
    const leader = await openTab(server, profile);
    const follower = await openTab(server, profile);
    expect([leader.sockets, follower.sockets]).toEqual([1, 0]);
    return new TwoTabs({ leader: leader.page, follower: follower.page, witness, durable });
  }

  /** Both write; resolves when a good part of it is told to be kept and there is more to come. */
  async writeHalf(): Promise<void> {
    for (const [page, prefix] of [
      [this.leader, 'leader'],
      [this.follower, 'follower'],
    ] as const) {
      // It may die before it has finished.
      page.evaluate(({ count, name }) => tab.write(count, name), { count: edits, name: prefix }).catch(() => {});
    }
    await waitUntil(() => this.durable.size > edits / 2, { within: patience });
    expect(this.durable.size).toBeLessThan(3 * edits);
  }

  /** The survivor has written everything, and everything is decided and shown. */
  async settle(): Promise<void> {
    await waitUntil(async () => (await this.follower.evaluate(() => tab.ids('edits'))).includes(`follower-${edits}`), {
      within: patience,
    });
    await this.follower.evaluate(() => tab.client.waitForSync({ timeoutMs: 30_000 }));
    await this.witness.mark();
  }

  async check(): Promise<void> {
    const commits = new Map<string, Set<number>>();
    for (const { id, documentId, version } of this.witness.deliveries()) {
      const positions = commits.get(id) ?? new Set();
      commits.set(id, positions.add(version));
      if (positions.size > 1) throw new Error(`${id} of ${JSON.stringify(documentId)} was committed twice`);
    }
    expect([...this.durable].filter((id) => !commits.has(id))).toEqual([]);
    expect(await this.follower.evaluate(() => tab.ids('edits'))).toEqual(this.witness.view.ids('edits'));
    expect(await this.follower.evaluate(() => tab.violations)).toEqual([]);
    expect(this.witness.view.get('counters', 'follower')).toMatchObject({ count: edits });
    const counters = () => tab.client.collection('counters').query().sort('_id').find();
    expect(await this.follower.evaluate(counters)).toMatchObject(this.witness.view.documents('counters'));
    expect(await this.follower.evaluate(() => tab.storedWrites())).toBe(0);
    expect(await this.follower.evaluate(() => tab.problems)).toEqual([]);
  }
}

async function openTab(server: DemoServer, profile: BrowserContext): Promise<{ page: Page; sockets: number }> {
  const page = await profile.newPage();
  let sockets = 0;
  page.on('websocket', () => {
    sockets += 1;
  });
  await page.goto(server.server.url);
  await page.waitForFunction(() => 'tab' in globalThis);
  for (const collection of ['edits', 'counters']) {
    expect(await page.evaluate((name) => tab.subscribe(name), collection)).toBe('complete');
  }
  return { page, sockets };
}

/** As when the browser kills a page that takes too much memory. */
async function crash(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent('crash');
  // It is not there any more to answer.
  session.send('Page.crash').catch(() => {});
  await crashed;
}

describe('two tabs of a browser', () => {
  let site: DemoSite;
  beforeAll(async () => {
    site = await DemoSite.open(tabPage);
  }, patience);
  afterAll(async () => await site?.[Symbol.asyncDispose](), patience);

  it.each([
    ['is closed', (page: Page) => page.close()],
    ['crashes', crash],
  ])(
    'lose no write and make none twice when the leader %s in the middle of 200 edits of each',
    async (_, end) => {
      await using server = await site.serve();
      const tabs = await TwoTabs.open(server);
      await tabs.writeHalf();
      await end(tabs.leader);
      await tabs.settle();
      await tabs.check();
    },
    patience * 3,
  );

  it(
    'share what both write, and a subscription until the last of them gives it back or crashes',
    async () => {
      await using server = await site.serve();
      const { leader, follower, witness } = await TwoTabs.open(server);
      for (const [page, id] of [
        [leader, 'a'],
        [follower, 'b'],
      ] as const) {
        expect(await page.evaluate((name) => tab.insert(name, 10), id)).toBe('kept');
      }
      for (const page of [leader, follower]) {
        await page.evaluate(() => tab.client.waitForSync({ timeoutMs: 30_000 }));
        expect(await page.evaluate(() => tab.ids('edits'))).toEqual(['a', 'b']);
      }
      await witness.mark();
      expect(witness.view.ids('edits')).toEqual(['a', 'b']);
      await leader.evaluate(() => tab.unsubscribe('edits'));
      expect(await leader.evaluate(() => tab.ids('edits'))).toEqual(['a', 'b']);
      await leader.evaluate(() => tab.subscribe('edits'));
      await crash(follower);
      const isFree = async () => {
        await leader.evaluate(() => tab.unsubscribe('edits'));
        const left = await leader.evaluate(() => tab.client.inspect().subscriptions.length);
        if (left > 1) await leader.evaluate(() => tab.subscribe('edits'));
        return left === 1;
      };
      await waitUntil(isFree, { within: patience });
      await waitUntil(async () => (await leader.evaluate(() => tab.ids('edits'))).length === 0, { within: patience });
    },
    patience * 3,
  );
});
