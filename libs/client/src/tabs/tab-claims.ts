import type { TabMessage, Tabs } from './tabs.ts';

/**
 * Which subscriptions the programs of the other tabs hold, so that one tab does not end what another one uses.
 * The claims of a tab end with it, however it ends; its subscriptions stay, as those of any program that is not running.
 */
export class TabClaims {
  readonly #tabs: Tabs;
  /** By tab; one that has told of its claims is watched until it ends. */
  readonly #others = new Map<string, readonly string[]>();
  #own: readonly string[] = [];

  constructor(tabs: Tabs) {
    this.#tabs = tabs;
  }

  isHeldElsewhere(id: string): boolean {
    return [...this.#others.values()].some((ids) => ids.includes(id));
  }

  isHeld(id: string): boolean {
    return this.#own.includes(id) || this.isHeldElsewhere(id);
  }

  /** The program of this tab holds these now. */
  tell(ids: readonly string[]): void {
    this.#own = ids;
    this.#tabs.post({ kind: 'claims', tab: this.#tabs.id, ids });
  }

  /** True when the message was about claims only. */
  heard(message: TabMessage): boolean {
    if (message.kind === 'hello' && this.#own.length > 0) this.tell(this.#own);
    if (message.kind !== 'claims') return false;
    if (!this.#others.has(message.tab)) void this.#watch(message.tab);
    this.#others.set(message.tab, message.ids);
    return true;
  }

  async #watch(tab: string): Promise<void> {
    await this.#tabs.ended(tab);
    this.#others.delete(tab);
  }
}
