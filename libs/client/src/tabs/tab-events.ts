import type { Emitter } from '../emitter.ts';
import type { ClientEvents } from '../events.ts';
import { type SharedEvent, sharedEvents, type Tabs } from './tabs.ts';

/** Tells the other tabs what happens in the one that leads, after what it is about was written: then they see it, too. */
export class TabEvents {
  readonly #tabs: Tabs;
  /** Since the last batch was written; a batch is written after every event, so it is bounded by one batch. */
  #untold: SharedEvent[] = [];

  constructor(tabs: Tabs, events: Emitter<ClientEvents>, isLeading: () => boolean) {
    this.#tabs = tabs;
    for (const name of sharedEvents) {
      events.on(name, (value) => {
        if (isLeading()) this.#happened({ name, value } as SharedEvent);
      });
    }
  }

  /** A batch was written, or could not be: nobody waits for the next one. */
  tell(): void {
    for (const event of this.#untold.splice(0)) this.#tabs.post({ kind: 'event', ...event });
  }

  #happened(event: SharedEvent): void {
    if (event.name !== 'problem') this.#untold.push(event);
    // It is about no document. What caused it may be anything, and not everything can be sent.
    else
      this.#tabs.post({
        kind: 'event',
        name: 'problem',
        value: { code: event.value.code, message: event.value.message },
      });
  }
}
