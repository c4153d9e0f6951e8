/** @jest-environment jsdom */
import { TextEncoder } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/manual-clock.ts';
import { SimulatedNetwork } from '../../test/simulated-network.ts';
import { SimulatedServer } from '../../test/simulated-server.ts';
import { createClient } from '../client.ts';
import { mountDevtools } from './panel.ts';
import { Recorder } from './recorder.ts';

// jsdom lacks both; what the client copies is JSON.
globalThis.TextEncoder ??= TextEncoder;
globalThis.structuredClone ??= ((value: unknown) =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value))) as typeof structuredClone;

function setUp() {
  const clock = new ManualClock();
  const server = new SimulatedServer(() => clock.now());
  const network = new SimulatedNetwork(server);
  const client = createClient({
    url: '',
    auth: { userId: 'ann' },
    clock,
    random: Math.random,
    socket: network.factory,
  });
  const flow = async () => {
    do await new Promise((resolve) => setTimeout(resolve));
    while (network.flow());
  };
  return { clock, server, client, flow };
}

function change(server: SimulatedServer, documentId: string) {
  server.change('ben', {
    id: documentId,
    operation: 'insert',
    collection: 'tasks',
    documentId,
    data: { title: documentId },
  });
}

describe('Recorder', () => {
  it('remembers what arrived, with its latency, the newest first and not too much', async () => {
    const { clock, server, client, flow } = setUp();
    const recorder = new Recorder(client, { now: () => clock.now(), limit: 2 });
    await client.subscribe('tasks');
    await flow();
    for (const id of ['a', 'b', 'c']) change(server, id);
    clock.advance(7);
    await flow();
    expect(recorder.changes).toMatchObject([
      { documentId: 'c', userId: 'ben', operation: 'insert', latencyMs: 7 },
      { documentId: 'b' },
    ]);
    expect(recorder.changes).toHaveLength(2);
    recorder.stop();
    change(server, 'd');
    await flow();
    expect(recorder.changes).toHaveLength(2);
    await client.close();
  });
});

describe('mountDevtools', () => {
  afterEach(() => document.body.replaceChildren());

  const text = (host: HTMLElement, section: string) =>
    host.firstElementChild?.shadowRoot?.querySelector(`[aria-label="${section}"]`)?.textContent ?? '';

  it('shows connection, subscriptions, outbox, changes and what was taken back', async () => {
    const { server, client, flow } = setUp();
    const host = document.body.appendChild(document.createElement('div'));
    const unmount = mountDevtools(client, host, { title: 'Ann', redrawMs: 0 });
    await client.subscribe('tasks', 'title != $0', ['x']);
    await flow();
    change(server, '<b>bold</b>');
    await flow();
    expect(text(host, 'Connection')).toContain('live');
    expect(text(host, 'Connection')).toContain(client.inspect().checkpoint);
    expect(text(host, 'Subscriptions')).toContain('title != $0  ["x"]complete');
    expect(text(host, 'Recent changes')).toContain('tasks/<b>bold</b>');
    client.pause();
    await client.collection('tasks').insert({ _id: 'no', forbidden: true });
    await flow();
    expect(text(host, 'Connection')).toContain('paused');
    expect(text(host, 'Outbox')).toContain('tasks/noaccepted');
    client.resume();
    await flow();
    expect(text(host, 'Outbox')).toContain('none');
    expect(text(host, 'Taken back')).toContain('rejectedforbidden');
    unmount();
    expect(host.childNodes).toHaveLength(0);
    await client.close();
  });
});
