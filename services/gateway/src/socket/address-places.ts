import type { IncomingMessage } from 'node:http';
import type { ConnectionCounter } from '@tidemark/access';
import { clientAddress } from './handshake.ts';

/** A connection of Engine.IO, which may become a socket. */
export interface RawConnection {
  readonly request: IncomingMessage;
  readonly remoteAddress: string;
  readonly readyState: string;
  once(event: 'close', listener: () => void): unknown;
  close(): void;
}

interface Place {
  readonly address: string;
  held: Promise<boolean>;
}

/** A connection without a place that does not even ask for a socket, and so cannot be told why, is closed after this time. */
const refusedMs = 2_000;

/**
 * The places of addresses among connections. One is taken when the raw connection opens: a client that never asks for a
 * socket holds memory, too.
 */
export class AddressPlaces {
  private readonly places = new WeakMap<object, Place>();
  private readonly counter: ConnectionCounter;
  private readonly trustProxy: number;

  constructor(counter: ConnectionCounter, { trustProxy }: { readonly trustProxy: number }) {
    this.counter = counter;
    this.trustProxy = trustProxy;
  }

  /** The connection takes a place, until it closes. */
  enter(connection: RawConnection): void {
    const { request, remoteAddress } = connection;
    const address = clientAddress({ headers: request.headers, address: remoteAddress }, this.trustProxy);
    const place = { address, held: this.take(connection, address) };
    this.places.set(connection, place);
    void this.closeWithout(connection, place);
  }

  /** Whether the connection has got one. Tries once more: an older connection of the address may have gone meanwhile. */
  async holds(connection: RawConnection): Promise<boolean> {
    const place = this.places.get(connection);
    if (place === undefined) return false;
    if (await place.held) return true;
    place.held = this.take(connection, place.address);
    return place.held;
  }

  private async take(connection: RawConnection, address: string): Promise<boolean> {
    const release = await this.counter.acquire(address);
    if (release === undefined) return false;
    if (connection.readyState === 'closed') release();
    else connection.once('close', release);
    return true;
  }

  private async closeWithout(connection: RawConnection, place: Place): Promise<void> {
    if (await place.held) return;
    const close = async () => {
      if (!(await place.held)) connection.close();
    };
    setTimeout(close, refusedMs).unref();
  }
}
