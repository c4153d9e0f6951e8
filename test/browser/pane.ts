import type { Locator, Page } from 'playwright-core';
import { patience } from './demo-site.ts';

/** One user's side of the demo. Reading waits until what is asked for is there. */
export class Pane {
  readonly root: Locator;

  constructor(page: Page, user: 'ada' | 'ben') {
    this.root = page.locator(`[data-user=${user}]`);
  }

  card(title: string): Locator {
    return this.root.getByTestId('card').filter({ hasText: title });
  }

  message(text: string): Locator {
    return this.root.locator('.message').filter({ hasText: text });
  }

  get notice(): Locator {
    return this.root.getByTestId('notice');
  }

  async addCard(title: string): Promise<void> {
    await this.root.getByLabel('New card').fill(title);
    await this.root.getByLabel('New card').press('Enter');
  }

  async rename(from: string, to: string): Promise<void> {
    await this.card(from).getByRole('button', { name: 'Edit' }).click();
    const field = this.root.getByLabel('Title of the card');
    await field.fill(to);
    await field.press('Enter');
  }

  async say(text: string): Promise<void> {
    await this.root.getByLabel('Message').fill(text);
    await this.root.getByLabel('Message').press('Enter');
  }

  async turn(state: 'online' | 'offline'): Promise<void> {
    const toggle = this.root.getByRole('switch');
    if ((await toggle.getAttribute('aria-checked')) !== String(state === 'online')) await toggle.click();
    await this.isShown(this.root.locator(`.state[data-state=${state === 'online' ? 'live' : 'paused'}]`));
  }

  isLive(): Promise<void> {
    return this.isShown(this.root.locator('.state[data-state=live]'));
  }

  /** Everything that was written here is decided and shown. */
  async isSettled(): Promise<void> {
    await this.isLive();
    await this.isGone(this.root.getByTestId('pending'));
    await this.isGone(this.root.locator('[data-pending]'));
  }

  isShown(what: Locator): Promise<void> {
    return what.first().waitFor({ state: 'visible', timeout: patience });
  }

  isGone(what: Locator): Promise<void> {
    return what.first().waitFor({ state: 'detached', timeout: patience });
  }

  /** The titles of all cards that are shown. */
  async titles(): Promise<string[]> {
    const texts = await this.root.getByTestId('card').locator('.title').allTextContents();
    return texts.map((text) => text.replace(/^Edit /, '')).sort();
  }
}
