import type { Client } from '../client.ts';
import { type Child, element } from './element.ts';
import { panelStyle } from './panel-style.ts';
import { Recorder } from './recorder.ts';
import { changesSection, connectionSection, lossesSection, outboxSection, subscriptionsSection } from './sections.ts';

/** How the panel is shown. */
export interface DevtoolsOptions {
  /** Such as the user's name, when a page shows several panels. */
  readonly title?: string;
  /** Milliseconds since 1970; `Date.now` by default. */
  readonly now?: () => number;
  /** The panel is drawn at most this often, in ms; 100 by default. */
  readonly redrawMs?: number;
}

/**
 * Shows a client's inside in an element: connection, tidemark, subscriptions, outbox, recent changes with their latencies, and writes
 * that were taken back. It records from now on. Returns the function that ends it and empties the element.
 */
export function mountDevtools(client: Client, host: HTMLElement, options: DevtoolsOptions = {}): () => void {
  const { title = 'Tidemark', now = Date.now, redrawMs = 100 } = options;
  const body = element('div', { class: 'panel', role: 'region', 'aria-label': `Devtools: ${title}` });
  const box = element('div', {});
  // Neither the page's style nor the panel's reaches the other.
  box.attachShadow({ mode: 'open' }).append(element('style', {}, [panelStyle]), body);
  host.append(box);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const draw = () => {
    timer = undefined;
    body.replaceChildren(...sections(client, recorder, title));
  };
  const drawSoon = () => {
    timer ??= setTimeout(draw, redrawMs);
  };
  const recorder = new Recorder(client, { now, changed: drawSoon });
  // Subscriptions and outbox have no event of their own.
  const ticking = setInterval(drawSoon, 1_000);
  draw();
  return () => {
    clearInterval(ticking);
    clearTimeout(timer);
    recorder.stop();
    box.remove();
  };
}

function sections(client: Client, recorder: Recorder, title: string): Exclude<Child, string>[] {
  const inspection = client.inspect();
  return [
    element('h2', {}, [title]),
    connectionSection(client.status, inspection, recorder.problem),
    subscriptionsSection(inspection.subscriptions),
    outboxSection(client.outbox()),
    changesSection(recorder.changes),
    lossesSection(recorder.losses),
  ];
}
