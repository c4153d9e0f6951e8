import type { TabMessage, Tabs } from './tabs.ts';

/** Which subscriptions the programs of the other tabs hold, so that one tab does not end what another one uses. */
export class TabClaims {
  readonly #tabs: Tabs;
  readonly #others = new Map<string, readonly string[]>();
  #own: readonly string[] = [];

  constructor(tabs: Tabs) {
    this.#tabs = tabs;
  }

  isHeldElsewhere(id: string): boolean {
    return [...this.#others.values()].some((ids) => ids.includes(id));
  }

  /** The program of this tab holds these now. */
  tell(ids: readonly string[]): void {
    this.#own = ids;
    this.#tabs.post({ kind: 'claims', tab: this.#tabs.id, ids });
  }

  /** True when the message was about claims only. */
  heard(message: TabMessage): boolean {
    if (message.kind === 'hello') this.tell(this.#own);
    else if (message.kind === 'claims') this.#others.set(message.tab, message.ids);
    else if (message.kind === 'bye') this.#others.delete(message.tab);
    return message.kind === 'claims' || message.kind === 'bye';
  }
}
