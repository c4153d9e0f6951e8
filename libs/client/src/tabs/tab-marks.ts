import type { TabMessage, Tabs } from './tabs.ts';

/** What a follower asks the leader, to be told when everything has arrived. What the leader says before it has heard is no answer. */
export class TabMarks {
  readonly #tabs: Tabs;
  #asked = 0;
  #heard = 0;

  constructor(tabs: Tabs) {
    this.#tabs = tabs;
  }

  /** The leader has heard of all that was asked. */
  get areHeard(): boolean {
    return this.#heard === this.#asked;
  }

  ask(): void {
    this.#asked += 1;
    this.repeat();
  }

  /** Another tab leads, which may not have heard. */
  repeat(): void {
    if (!this.areHeard) this.#tabs.post({ kind: 'mark', tab: this.#tabs.id, mark: this.#asked });
  }

  heard({ tab, mark }: TabMessage & { kind: 'marking' }): void {
    if (tab === this.#tabs.id) this.#heard = mark;
  }
}
