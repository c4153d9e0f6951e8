import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createConnectionCounter, type Release } from '@tidemark/access';
import { AddressPlaces, type RawConnection } from './address-places.ts';

class FakeRaw extends EventEmitter implements RawConnection {
  readonly request: IncomingMessage;
  readonly remoteAddress: string;
  readyState = 'open';

  constructor(address: string, forwarded?: string) {
    super();
    this.remoteAddress = address;
    this.request = { headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } } as IncomingMessage;
  }

  close(): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    this.emit('close');
  }
}

function entered(places: AddressPlaces, raw: FakeRaw): FakeRaw {
  places.enter(raw);
  return raw;
}

describe('AddressPlaces', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('counts connections from the moment they open, and closes those that have no place', async () => {
    const places = new AddressPlaces(createConnectionCounter({ max: 2 }), { trustProxy: 0 });
    const [first, second, third] = [1, 2, 3].map(() => entered(places, new FakeRaw('a')));
    const other = entered(places, new FakeRaw('b'));
    const held = await Promise.all([first, second, third, other].map((raw) => places.holds(raw!)));
    expect(held).toEqual([true, true, false, true]);
    await jest.advanceTimersByTimeAsync(2_000);
    expect([first, second, third, other].map((raw) => raw?.readyState)).toEqual(['open', 'open', 'closed', 'open']);
    first?.close();
    expect(await places.holds(entered(places, new FakeRaw('a')))).toBe(true);
    expect(await places.holds(entered(places, new FakeRaw('a')))).toBe(false);
  });

  it('gives the place of one that went meanwhile to one that asks again', async () => {
    const places = new AddressPlaces(createConnectionCounter({ max: 1 }), { trustProxy: 0 });
    const [first, second] = [entered(places, new FakeRaw('a')), entered(places, new FakeRaw('a'))];
    first.close();
    expect(await places.holds(second)).toBe(true);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(second.readyState).toBe('open');
  });

  it('gives a place back that comes after the connection has gone', async () => {
    let grant: (release: Release) => void = () => undefined;
    const granted = new Promise<Release>((resolve) => {
      grant = resolve;
    });
    const places = new AddressPlaces({ acquire: () => granted }, { trustProxy: 0 });
    const raw = entered(places, new FakeRaw('a'));
    raw.close();
    let held = 1;
    grant(() => held--);
    await turn();
    expect(held).toBe(0);
  });

  it('counts what a trusted proxy saw', async () => {
    const places = new AddressPlaces(createConnectionCounter({ max: 1 }), { trustProxy: 1 });
    expect(await places.holds(entered(places, new FakeRaw('proxy', 'x, 1.1.1.1')))).toBe(true);
    expect(await places.holds(entered(places, new FakeRaw('proxy', 'x, 2.2.2.2')))).toBe(true);
    expect(await places.holds(entered(places, new FakeRaw('proxy', 'y, 2.2.2.2')))).toBe(false);
  });
});
