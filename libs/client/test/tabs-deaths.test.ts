import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CompensatedWrite, SettledWrite } from '../src/events.ts';
import { settle } from './settle.ts';
import { type Tab, TabWorld, titles } from './tab-world.ts';

let world: TabWorld;

beforeEach(() => {
  world = new TabWorld();
});

afterEach(() => world.end());

/** Several tabs, the first of which leads; all have asked for the tasks. */
async function openTabs(count: number): Promise<Tab[]> {
  const tabs: Tab[] = [];
  for (let index = 0; index < count; index++) {
    const tab = await world.open();
    await tab.client.subscribe('tasks');
    await world.flow();
    tabs.push(tab);
  }
  return tabs;
}

const write = (tab: Tab, id: string) => tab.client.collection('tasks').insert({ _id: id, title: id });
const commitsOf = (id: string) => world.server.committed.filter(({ documentId }) => documentId === id).length;
/** The leader dies when the store has its next batch, before it can tell anyone. */
function dieWithNextBatch(leader: Tab): void {
  world.store.onWritten = () => {
    world.store.onWritten = () => {};
    leader.die();
  };
}

/** The follower's write is kept while the store is full, and committed once when it has room again. */
async function expectKept(
  id: string,
  { writing, follower }: { writing: Promise<unknown>; follower: Tab },
): Promise<void> {
  await world.flow();
  await expect(writing).resolves.toMatchObject({ documentId: id });
  world.store.isFull = false;
  world.clock.advance(10_000);
  await world.flow();
  expect({ commits: commitsOf(id), titles: await titles(follower) }).toEqual({ commits: 1, titles: [id] });
}

describe('when the leader dies', () => {
  it('nothing is lost of what a follower wrote one after the other', async () => {
    const [leader, follower] = (await openTabs(2)) as [Tab, Tab];
    const shown: number[] = [];
    follower.client
      .collection('tasks')
      .query()
      .observe(({ documents }) => shown.push(documents.length));
    const writing = [write(follower, 'a')];
    await Promise.resolve();
    await Promise.resolve();
    writing.push(write(follower, 'b'), write(follower, 'c'));
    leader.die();
    writing.push(write(follower, 'd'));
    await world.flow();
    await Promise.all(writing);
    expect(['a', 'b', 'c', 'd'].map(commitsOf)).toEqual([1, 1, 1, 1]);
    expect(await titles(follower)).toEqual(['a', 'b', 'c', 'd']);
    expect(shown).toEqual([...shown].sort());
  });

  it('all others learn what it had written and could not tell', async () => {
    const [leader, ...others] = (await openTabs(3)) as [Tab, Tab, Tab];
    world.benInserts('a');
    dieWithNextBatch(leader);
    await world.flow();
    expect([await titles(others[0]), await titles(others[1])]).toEqual([['a'], ['a']]);
    world.benInserts('b');
    await world.flow();
    expect([await titles(others[0]), await titles(others[1])]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('a follower hears what became of its write, though the leader could not tell', async () => {
    const [leader, follower] = (await openTabs(2)) as [Tab, Tab];
    const write1 = write(follower, 'a');
    const heard: (SettledWrite | undefined)[] = [];
    for (let round = 0; round < 4; round++) await settle();
    void (await write1).settled().then((settled) => heard.push(settled));
    expect(leader.network.up()).toBe(true);
    dieWithNextBatch(leader);
    leader.network.flow();
    for (let round = 0; round < 4; round++) await settle();
    expect({ heard, leads: world.tabs.length }).toEqual({ heard: [], leads: 1 });
    await world.flow();
    expect(heard).toMatchObject([{ outcome: 'applied' }]);
    expect(commitsOf('a')).toBe(1);
    world.clock.advance(1_000);
    await world.flow();
    expect(follower.client.status).toMatchObject({ pending: 0, optimistic: 0 });
  });

  it('a follower is told why its write was refused, though the leader could not tell', async () => {
    const [leader, follower] = (await openTabs(2)) as [Tab, Tab];
    const heard: CompensatedWrite[] = [];
    follower.client.on('compensated', (compensated) => heard.push(compensated));
    const writing = follower.client.collection('tasks').insert({ _id: 'a', title: 'a', forbidden: true });
    for (let round = 0; round < 4; round++) await settle();
    await writing;
    leader.network.up();
    dieWithNextBatch(leader);
    leader.network.flow();
    for (let round = 0; round < 4; round++) await settle();
    expect(heard).toEqual([]);
    await world.flow();
    expect(heard).toMatchObject([{ outcome: 'rejected', code: 'forbidden' }]);
    expect(await titles(follower)).toEqual([]);
  });

  it('a write that it had kept and could not tell of is kept, though the store has no room now', async () => {
    const [leader, follower] = (await openTabs(2)) as [Tab, Tab];
    const writing = write(follower, 'a');
    world.store.onWritten = () => {
      world.store.onWritten = () => {};
      world.store.isFull = true;
      leader.die();
    };
    await expectKept('a', { writing, follower });
  });

  it('a write that the next leader has sent is kept, though the store has no room when its tab asks again', async () => {
    const [leader, next, follower] = (await openTabs(3)) as [Tab, Tab, Tab];
    const writing = write(follower, 'a');
    dieWithNextBatch(leader);
    for (let turn = 0; turn < 3; turn++) await settle();
    expect((await world.store.load()).entries).toHaveLength(1);
    world.store.isFull = true;
    next.network.flow();
    await expectKept('a', { writing, follower });
  });

  it('a subscription that a follower was ending ends', async () => {
    const [leader, follower] = (await openTabs(2)) as [Tab, Tab];
    const notes = await follower.client.subscribe('notes');
    await world.flow();
    const ending = notes.unsubscribe();
    leader.die();
    await world.flow();
    await ending;
    expect(follower.client.inspect().subscriptions.map(({ collection }) => collection)).toEqual(['tasks']);
    expect((await world.store.load()).subscriptions).toHaveLength(1);
  });

  it('the next one may die while it reads the store', async () => {
    const [leader, second, third] = (await openTabs(3)) as [Tab, Tab, Tab];
    const writing = [write(leader, 'a'), write(third, 'c')];
    await settle();
    leader.die();
    second.die();
    await world.flow();
    await Promise.all(writing);
    expect(await titles(third)).toEqual(['a', 'c']);
    expect(['a', 'c'].map(commitsOf)).toEqual([1, 1]);
  });
});

describe('the claims of a tab', () => {
  it('end with it, when it leads and when it follows', async () => {
    world.benInserts('a');
    const [first, second, third] = (await openTabs(3)) as [Tab, Tab, Tab];
    const last = await third.client.subscribe('tasks');
    first.die();
    second.die();
    await world.flow();
    expect(await titles(third)).toEqual(['a']);
    await last.unsubscribe();
    expect(await titles(third)).toEqual(['a']);
    // It had claimed it twice.
    const again = await third.client.subscribe('tasks');
    await again.unsubscribe();
    expect(third.client.inspect().subscriptions).toHaveLength(1);
  });

  it('keep a subscription alive only as long as the tab lives', async () => {
    world.benInserts('a');
    const [leader, follower] = [await world.open(), await world.open()];
    const own = await leader.client.subscribe('tasks');
    await world.flow();
    await follower.client.subscribe('tasks');
    await world.flow();
    follower.die();
    await world.flow();
    void own.unsubscribe();
    await world.flow();
    expect(leader.client.inspect().subscriptions).toEqual([]);
    expect(await titles(leader)).toEqual([]);
  });

  it('are known to a tab that comes later', async () => {
    const first = await world.open();
    await first.client.subscribe('tasks');
    await world.flow();
    const late = await world.open();
    const own = await late.client.subscribe('tasks');
    await own.unsubscribe();
    await world.flow();
    expect(first.client.inspect().subscriptions).toHaveLength(1);
  });

  it('win against an end that was on its way', async () => {
    const [leader, follower] = [await world.open(), await world.open()];
    const own = await follower.client.subscribe('tasks');
    await world.flow();
    void own.unsubscribe();
    const claim = await leader.client.subscribe('tasks');
    await world.flow();
    expect(claim.state).toEqual({ kind: 'complete' });
    expect([leader, follower].map(({ client }) => client.inspect().subscriptions.length)).toEqual([1, 1]);
  });
});

describe('a follower that is closed', () => {
  it('has what it wrote written first', async () => {
    const [, follower] = (await openTabs(2)) as [Tab, Tab];
    const writing = write(follower, 'a');
    await world.close(follower);
    await expect(writing).resolves.toMatchObject({ documentId: 'a' });
    await world.flow();
    expect(commitsOf('a')).toBe(1);
  });
});

describe('two tabs that come at once', () => {
  it('may ask for the same twice; the next start has it once', async () => {
    world.benInserts('a');
    const tabs = [world.start(), world.start()] as const;
    const subscribed = tabs.map(({ client }) => client.subscribe('tasks'));
    await world.flow();
    for (const subscription of await Promise.all(subscribed)) expect(subscription.state).toEqual({ kind: 'complete' });
    expect((await world.store.load()).subscriptions).toHaveLength(2);
    for (const tab of tabs) await world.close(tab);
    const next = await world.open();
    expect(next.client.inspect().subscriptions).toHaveLength(1);
    await next.client.subscribe('tasks');
    await world.flow();
    expect(await titles(next)).toEqual(['a']);
    expect(next.client.inspect().subscriptions).toMatchObject([{ state: { kind: 'complete' } }]);
  });
});
