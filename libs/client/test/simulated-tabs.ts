import type { TabMessage, Tabs } from '../src/tabs/tabs.ts';

interface Member {
  readonly id: string;
  listener: (message: TabMessage) => void;
  lead: (() => void) | undefined;
  isGone: boolean;
  /** Called when it has gone. */
  readonly onEnd: (() => void)[];
}

/** The tabs of one browser: messages arrive later and in order, as copies; the lock goes to the tab that has waited longest. */
export class TabHub {
  readonly #members: Member[] = [];
  #leader: Member | undefined;
  #tabs = 0;

  open(): Tabs & { die(): void } {
    this.#tabs += 1;
    const member: Member = { id: `tab${this.#tabs}`, listener: () => {}, lead: undefined, isGone: false, onEnd: [] };
    this.#members.push(member);
    return {
      id: member.id,
      post: (message) => this.#post(member, message),
      listen: (listener) => {
        member.listener = listener;
      },
      tryToLead: async () => {
        if (this.#leader) return false;
        this.#leader = member;
        return true;
      },
      waitToLead: () =>
        new Promise((resolve) => {
          member.lead = resolve;
          if (!this.#leader) this.#next();
        }),
      ended: (tab) =>
        new Promise((resolve) => {
          const other = this.#members.find(({ id }) => id === tab);
          const tell = () => member.isGone || setImmediate(resolve);
          if (!other || other.isGone) tell();
          else other.onEnd.push(tell);
        }),
      close: () => this.#gone(member),
      die: () => this.#gone(member),
    };
  }

  #post(from: Member, message: TabMessage): void {
    if (from.isGone) return;
    const copy = structuredClone(message);
    setImmediate(() => {
      for (const member of this.#members) if (member !== from && !member.isGone) member.listener(structuredClone(copy));
    });
  }

  #gone(member: Member): void {
    member.isGone = true;
    for (const tell of member.onEnd.splice(0)) tell();
    if (this.#leader !== member) return;
    this.#leader = undefined;
    this.#next();
  }

  #next(): void {
    const next = this.#members.find(({ isGone, lead }) => !isGone && lead !== undefined);
    if (!next) return;
    this.#leader = next;
    next.lead?.();
  }
}
