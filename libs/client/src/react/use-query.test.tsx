/** @jest-environment jsdom */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { act, cleanup, screen } from '@testing-library/react';
import { Component, type ReactNode, useLayoutEffect, useTransition } from 'react';
import { World } from '../../test/react-world.tsx';
import { systemClock } from '../clock.ts';
import { MemoryStore } from '../local/memory-store.ts';
import { queriesOf } from './query-cache.ts';
import { QueryEntry } from './query-entry.ts';
import { useDocument } from './use-document.ts';
import { type QueryOptions, useQuery } from './use-query.ts';

afterEach(cleanup);

function Titles({ filter = '', args = [], ...options }: QueryOptions & { filter?: string; args?: string[] }) {
  // New arrays in every render, as programs write them.
  const { documents, isLoading, sync, error } = useQuery('tasks', filter, [...args], {
    sort: [['title', 'asc']],
    ...options,
  });
  const titles = documents.map(({ title }) => String(title)).join(' ');
  return (
    <p data-testid="titles">{error ? error.message : isLoading ? 'loading' : `${sync?.kind ?? 'none'}: ${titles}`}</p>
  );
}

const shown = () => screen.getByTestId('titles').textContent;

function Title({ id }: { id: string }) {
  const { document, sync } = useDocument('tasks', id);
  return <p data-testid="titles">{`${sync?.kind}: ${String(document?.title)}`}</p>;
}

/** What two components show of the same query at one moment. */
function readings(): string {
  return [...document.querySelectorAll('[data-reader]')].map(({ textContent }) => textContent).join();
}

function Reader() {
  return <i data-reader>{useQuery('tasks').documents.length}</i>;
}

function Readers({ note, started }: { note: () => void; started: (start: (run: () => void) => void) => void }) {
  const [, startTransition] = useTransition();
  useLayoutEffect(() => {
    started(startTransition);
    note();
  });
  return (
    <>
      <Reader />
      <Reader />
    </>
  );
}

class Boundary extends Component<{ children: ReactNode }, { message?: string }> {
  override state: { message?: string } = {};
  static getDerivedStateFromError = (error: Error) => ({ message: error.message });
  override render() {
    return this.state.message === undefined ? this.props.children : <p data-testid="caught">{this.state.message}</p>;
  }
}

describe('useQuery', () => {
  it('shows what the server has, what others write and, at once, what the user writes', async () => {
    const world = new World();
    world.write('1', { title: 'a' });
    world.show(<Titles />);
    expect(shown()).toBe('loading');
    await world.rest();
    expect(shown()).toBe('pending: ');
    await world.flow();
    expect(shown()).toBe('complete: a');
    world.write('2', { title: 'b' });
    await world.flow();
    expect(shown()).toBe('complete: a b');
    await act(async () => void (await world.client.collection('tasks').insert({ _id: '3', title: 'c' })));
    expect(shown()).toBe('complete: a b c');
    await world.flow();
    expect(shown()).toBe('complete: a b c');
    await world.close();
  });

  it('holds one subscription, mounted twice and in several places', async () => {
    const world = new World();
    const asked = jest.spyOn(world.client, 'subscribe');
    const view = world.show([<Titles key="1" filter="title == $0" args={['a']} />]);
    await world.flow();
    view.show([
      <Titles key="1" filter="title == $0" args={['a']} />,
      <Titles key="2" filter="title == $0" args={['a']} />,
    ]);
    await world.flow();
    expect(asked).toHaveBeenCalledTimes(1);
    expect(world.client.inspect().subscriptions).toHaveLength(1);
    await world.close();
  });

  it('follows new arguments, and keeps the old query for a while', async () => {
    const world = new World();
    world.write('1', { title: 'a' });
    world.write('2', { title: 'b' });
    const view = world.show(<Titles filter="title == $0" args={['a']} />);
    await world.flow();
    expect(shown()).toBe('complete: a');
    view.show(<Titles filter="title == $0" args={['b']} />);
    await world.flow();
    expect(shown()).toBe('complete: b');
    expect(queriesOf(world.client).size).toBe(2);
    await world.close();
  });

  it('asks the server for nothing when it is told so', async () => {
    const world = new World();
    world.write('1', { title: 'a' });
    world.show(<Titles subscribe={false} />);
    await world.flow();
    expect(shown()).toBe('none: ');
    await act(async () => void (await world.client.collection('tasks').insert({ _id: '3', title: 'c' })));
    expect(shown()).toBe('none: c');
    expect(world.client.inspect().subscriptions).toHaveLength(0);
    await world.close();
  });

  it('limits', async () => {
    const world = new World();
    for (const title of ['c', 'a', 'b']) world.write(title, { title });
    world.show(<Titles limit={2} />);
    await world.flow();
    expect(shown()).toBe('complete: a b');
    await world.close();
  });

  it('suspends until the local store is open', async () => {
    const store = new MemoryStore();
    let open = () => {};
    const opening = new Promise<void>((resolve) => {
      open = resolve;
    });
    const load = store.load.bind(store);
    jest.spyOn(store, 'load').mockImplementation(async () => {
      await opening;
      return await load();
    });
    const world = new World({ store });
    await world.showSuspended(<Titles suspense="local" />);
    await world.rest();
    expect(screen.getByText('waiting')).toBeTruthy();
    open();
    await world.rest();
    expect(shown()).toBe('pending: ');
    await world.close();
  });

  it('suspends until the documents of the server are here, with one subscription', async () => {
    const world = new World();
    const asked = jest.spyOn(world.client, 'subscribe');
    world.write('1', { title: 'a' });
    await world.showSuspended(<Titles suspense="synced" />);
    await world.rest();
    expect(screen.getByText('waiting')).toBeTruthy();
    await world.flow();
    expect(shown()).toBe('complete: a');
    expect(asked).toHaveBeenCalledTimes(1);
    await world.close();
  });

  it('goes on to use what it has suspended for, as React wants it, and does not suspend again', async () => {
    const used = jest.spyOn(QueryEntry.prototype, 'synced', 'get');
    const world = new World();
    world.write('1', { title: 'a' });
    await world.showSuspended(<Titles suspense="synced" />);
    await world.flow();
    used.mockClear();
    world.write('2', { title: 'b' });
    await world.flow();
    expect(used).toHaveBeenCalled();
    expect(screen.queryByText('waiting')).toBeNull();
    expect(shown()).toBe('complete: a b');
    used.mockRestore();
    await world.close();
  });

  it('waits for longer than a rendering may take, suspended until there is a connection', async () => {
    const timers: (() => void)[] = [];
    const after = jest.spyOn(systemClock, 'after').mockImplementation((_, run) => {
      timers.push(run);
      return () => void timers.splice(timers.indexOf(run), 1);
    });
    const world = new World({ connect: false });
    world.write('1', { title: 'a' });
    await world.showSuspended(<Titles suspense="synced" />);
    await world.rest();
    for (const run of timers.splice(0)) run();
    await world.rest();
    expect(screen.getByText('waiting')).toBeTruthy();
    world.client.resume();
    await world.flow();
    expect(shown()).toBe('complete: a');
    await world.close();
    after.mockRestore();
  });

  it('tells when the local store cannot be read, suspended or not', async () => {
    const store = new MemoryStore();
    jest.spyOn(store, 'load').mockRejectedValue(new Error('broken disk'));
    const world = new World({ store });
    const view = world.show(<Titles />);
    await world.rest();
    expect(shown()).toContain('broken disk');
    view.show(<Titles key="2" suspense="synced" />);
    await world.rest();
    expect(shown()).toContain('broken disk');
  });

  it('throws a filter that does not parse to the error boundary', async () => {
    const logged = jest.spyOn(console, 'error').mockImplementation(() => {});
    const world = new World();
    world.show(
      <Boundary>
        <Titles filter="title ==" />
      </Boundary>,
    );
    expect(screen.getByTestId('caught').textContent).toMatch(/expected/i);
    logged.mockRestore();
    await world.close();
  });

  it('never shows two states of one query in one commit, in a transition either', async () => {
    const world = new World();
    const commits: string[] = [];
    const note = () => commits.push(readings());
    let begin = (_: () => void) => {};
    const started = (start: (run: () => void) => void) => {
      begin = start;
    };
    world.show(<Readers note={note} started={started} />);
    const observer = new MutationObserver(note);
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    await world.flow();
    for (let index = 0; index < 5; index++) {
      await act(async () => {
        begin(() => void world.client.collection('tasks').insert({ _id: `t${index}` }));
      });
    }
    observer.disconnect();
    expect(commits.at(-1)).toBe('5,5');
    for (const commit of commits) expect(new Set(commit.split(',')).size).toBe(1);
    expect(new Set(commits).size).toBeGreaterThan(3);
    await world.close();
  });
});

describe('useDocument', () => {
  it('is one document, and nothing when it is gone', async () => {
    const world = new World();
    world.write('1', { title: 'a' });
    world.write('2', { title: 'b' });
    world.show(<Title id="2" />);
    await world.flow();
    expect(shown()).toBe('complete: b');
    await act(async () => void (await world.client.collection('tasks').delete('2')));
    expect(shown()).toBe('complete: undefined');
    await world.close();
  });
});
