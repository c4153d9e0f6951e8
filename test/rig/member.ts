import type { BootstrapMessage } from '@tidemark/protocol';
import type { TestClient } from './client.ts';
import type { Fields } from './view.ts';

export interface Wish {
  readonly id: string;
  readonly collection: string;
  readonly filter: string;
  readonly holds: (document: Fields) => boolean;
}

/**
 * A client as the contract wants it: keeps its set of subscriptions, knows which of them it has whole, drops what no
 * subscription holds, and resumes with what it has.
 */
export class Member {
  readonly userId: string;
  client: TestClient;
  wishes: readonly Wish[] = [];
  /** Subscriptions whose last page has not come. */
  private readonly incomplete = new Set<string>();

  constructor(userId: string, client: TestClient) {
    this.userId = userId;
    this.client = client;
    this.watch();
  }

  get view() {
    return this.client.view;
  }

  async subscribe(wish: Wish): Promise<void> {
    this.wishes = [...this.wishes, wish];
    this.incomplete.add(wish.id);
    const { id, collection, filter } = wish;
    const answer = await this.client.call('sync:subscribe', { id, collection, filter });
    if (!answer.success) throw new Error(`refused: ${answer.error}`);
  }

  async unsubscribe(wish: Wish): Promise<void> {
    const answer = await this.client.call('sync:unsubscribe', { subscriptionId: wish.id });
    if (!answer.success) throw new Error(`refused: ${answer.error}`);
    this.keep(this.wishes.filter((one) => one !== wish));
  }

  async replace(wishes: readonly Wish[]): Promise<void> {
    const known = new Set(this.wishes.map(({ id }) => id));
    for (const { id } of wishes) if (!known.has(id)) this.incomplete.add(id);
    const subscriptions = wishes.map(({ id, collection, filter }) => ({ id, collection, filter }));
    const answer = await this.client.call('sync:update_subscriptions', { subscriptions });
    if (!answer.success) throw new Error(`refused: ${answer.error}`);
    this.keep(wishes);
  }

  /** Goes on over a fresh socket, which shares the view. What it did not have whole it asks for anew. */
  async resume(client: TestClient): Promise<void> {
    for (const collection of new Set(this.wishes.map((wish) => wish.collection)))
      this.view.dropUnless(collection, (document) => this.wants(collection, document, true));
    this.client = client;
    this.watch();
    const { checkpoint } = this.view;
    const subscriptions = this.wishes.map(({ id, collection, filter }) => ({
      id,
      collection,
      filter,
      ...((this.incomplete.has(id) || checkpoint === undefined) && { bootstrap: true }),
    }));
    await client.join({ protocol: 1, subscriptions, checkpoint });
  }

  /** What it must hold of the collection in the end. */
  wants(collection: string, document: Fields, onlyWhole = false): boolean {
    return this.wishes.some(
      (wish) => wish.collection === collection && wish.holds(document) && !(onlyWhole && this.incomplete.has(wish.id)),
    );
  }

  private keep(wishes: readonly Wish[]): void {
    const before = this.wishes;
    this.wishes = wishes;
    for (const collection of new Set(before.map((wish) => wish.collection)))
      this.view.dropUnless(collection, (document) => this.wants(collection, document));
  }

  private watch(): void {
    this.client.socket.on('sync:bootstrap', (page: BootstrapMessage) => {
      if (!page.hasMore) this.incomplete.delete(page.subscription);
    });
    this.client.socket.on('sync:reset', () => {
      for (const { id } of this.wishes) this.incomplete.add(id);
    });
  }
}
