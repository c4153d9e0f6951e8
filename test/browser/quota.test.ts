import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CDPSession, Page } from 'playwright-core';
import { waitUntil } from '../rig/wait-until.ts';
import { type DemoServer, DemoSite, patience, tabPage } from './demo-site.ts';
// For the type of `tab` in the page.
import type {} from './tab-page/main.ts';

const kilobytes = 1_024;

/** A tab whose browser gives the page as much room as the test says. */
class TightTab {
  readonly page: Page;
  readonly #session: CDPSession;
  readonly #origin: string;

  private constructor(page: Page, session: CDPSession, origin: string) {
    this.page = page;
    this.#session = session;
    this.#origin = origin;
  }

  /** Chromium asks for the quota rarely while there is room: it is set before the page has written anything. */
  static async open(server: DemoServer, quotaSize: number): Promise<TightTab> {
    const { origin } = new URL(server.server.url);
    const page = await (await server.profile()).newPage();
    const session = await page.context().newCDPSession(page);
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize });
    await page.goto(origin);
    await page.waitForFunction(() => 'tab' in globalThis);
    return new TightTab(page, session, origin);
  }

  async makeRoom(): Promise<void> {
    await this.#session.send('Storage.overrideQuotaForOrigin', { origin: this.#origin });
  }

  insert(id: string, bytes: number): Promise<string> {
    return this.page.evaluate(([name, size]) => tab.insert(name, size), [id, bytes] as const);
  }

  ids(): Promise<string[]> {
    return this.page.evaluate(() => tab.ids('edits'));
  }

  state(): Promise<string> {
    return this.page.evaluate(() => tab.stateOf('edits'));
  }

  async settle(): Promise<void> {
    await this.page.evaluate(() => tab.client.waitForSync({ timeoutMs: 30_000 }));
  }
}

describe('a browser that gives the page no room', () => {
  let site: DemoSite;
  beforeAll(async () => {
    site = await DemoSite.open(tabPage);
  }, patience);
  afterAll(async () => await site?.[Symbol.asyncDispose](), patience);

  it(
    'refuses a write whole, with its reason, and goes on when there is room; what was kept before is sent',
    async () => {
      await using server = await site.serve();
      const witness = await server.server.user('witness');
      await witness.subscribe('edits');
      const tight = await TightTab.open(server, 300 * kilobytes);
      expect(await tight.page.evaluate(() => tab.subscribe('edits'))).toBe('complete');
      await tight.page.evaluate(() => tab.client.pause());
      expect(await tight.insert('before', 100)).toBe('kept');
      const refused: string[] = [];
      for (let number = 1; number <= 8; number++) {
        const answer = await tight.insert(`full-${number}`, 60 * kilobytes);
        if (answer !== 'kept') refused.push(`full-${number}`);
        expect(['kept', 'store_full']).toContain(answer);
      }
      expect(refused.length).toBeGreaterThan(3);
      const kept = ['before', 'full-1', 'full-2', 'full-3', 'full-4'].filter((id) => !refused.includes(id));
      expect(await tight.ids()).toEqual(kept);
      expect(await tight.page.evaluate(() => tab.storedWrites())).toBe(kept.length);
      expect(await tight.page.evaluate(() => tab.problems)).toContain('store_full');
      await tight.makeRoom();
      expect(await tight.insert('later', 60 * kilobytes)).toBe('kept');
      await tight.page.evaluate(() => tab.client.resume());
      await tight.settle();
      await witness.mark();
      expect(witness.view.ids('edits')).toEqual([...kept, 'later'].sort());
      expect(await tight.ids()).toEqual(witness.view.ids('edits'));
      await tight.page.reload();
      await tight.page.waitForFunction(() => 'tab' in globalThis);
      expect(await tight.ids()).toEqual(witness.view.ids('edits'));
    },
    patience * 2,
  );

  it(
    'says that a first load does not fit, and completes it when there is room',
    async () => {
      await using server = await site.serve();
      const writer = await server.server.user('writer');
      const text = 'x'.repeat(2 * kilobytes);
      const ids = Array.from({ length: 400 }, (_, index) => `edit-${String(index).padStart(3, '0')}`);
      for (const documentId of ids)
        await writer.write({ id: documentId, collection: 'edits', documentId, data: { text } });
      const tight = await TightTab.open(server, 300 * kilobytes);
      // All of it may have come before the browser says that it does not take it.
      await tight.page.evaluate(() => tab.subscribe('edits'));
      await waitUntil(async () => (await tight.state()) === 'error store_full', { within: patience });
      expect(await tight.insert('mine', 100)).toBe('store_full');
      await tight.makeRoom();
      await waitUntil(async () => (await tight.state()) === 'complete', { within: patience });
      expect(await tight.ids()).toEqual(ids);
      await tight.page.evaluate(() => tab.client.pause());
      await tight.page.reload();
      await tight.page.waitForFunction(() => 'tab' in globalThis);
      await tight.page.evaluate(() => tab.client.pause());
      expect(await tight.ids()).toEqual(ids);
    },
    patience * 2,
  );
});
