import { TextEncoder } from 'node:util';
import { act, render } from '@testing-library/react';
import { type ReactNode, StrictMode, Suspense } from 'react';
import { type Client, type ClientOptions, createClient } from '../src/client.ts';
import { TidemarkProvider } from '../src/react/provider.ts';
import { ManualClock } from './manual-clock.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import { SimulatedServer } from './simulated-server.ts';

// jsdom lacks both; what the client copies is JSON.
globalThis.TextEncoder ??= TextEncoder;
globalThis.structuredClone ??= ((value: unknown) =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value))) as typeof structuredClone;

/** A client and a simulated server between which messages move when the test says so. */
export class World {
  readonly clock = new ManualClock();
  readonly server = new SimulatedServer(() => this.clock.now());
  readonly network = new SimulatedNetwork(this.server);
  readonly client: Client;

  constructor(options: Partial<ClientOptions> = {}) {
    this.client = createClient({
      url: '',
      auth: { userId: 'ann' },
      clock: this.clock,
      random: Math.random,
      socket: this.network.factory,
      ...options,
    });
  }

  /** Somebody else writes. */
  write(id: string, data: Record<string, string | number | boolean>): void {
    this.clock.advance(1);
    this.server.change('other', {
      id: `${id}-${this.clock.now()}`,
      operation: 'update',
      collection: 'tasks',
      documentId: id,
      data,
    });
  }

  show(children: ReactNode) {
    const tree = (shown: ReactNode) => (
      <StrictMode>
        <TidemarkProvider client={this.client}>
          <Suspense fallback={<p>waiting</p>}>{shown}</Suspense>
        </TidemarkProvider>
      </StrictMode>
    );
    const view = render(tree(children));
    return { ...view, show: (next: ReactNode) => view.rerender(tree(next)) };
  }

  /** As `show`, for what suspends. */
  async showSuspended(children: ReactNode): Promise<void> {
    await act(async () => void this.show(children));
  }

  /** Everything on its way arrives and is shown. */
  async flow(): Promise<void> {
    await act(async () => {
      do await new Promise((resolve) => setTimeout(resolve));
      while (this.network.flow());
    });
  }

  /** Lets promises resolve, without moving a message. */
  async rest(): Promise<void> {
    await act(async () => {
      await new Promise((resolve) => setTimeout(resolve));
    });
  }

  async close(): Promise<void> {
    await act(async () => await this.client.close());
  }
}
