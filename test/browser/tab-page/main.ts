import { type Client, createClient, type Subscription } from '@tidemark/client';
import { IndexedDbStore, webTabs } from '@tidemark/client/browser';
import { storedWrites } from '../stored-writes.ts';

/** What a program of one tab does and sees; tests call it from outside, as `tab`. */
export interface TabProgram {
  readonly client: Client;
  /** Everything that must not happen, as sentences. */
  readonly violations: string[];
  /** Codes of problems that no promise reported. */
  readonly problems: string[];
  subscribe(collection: string): Promise<string>;
  unsubscribe(collection: string): Promise<void>;
  /** The state of the tab's own subscription, with the code of an error. */
  stateOf(collection: string): string;
  /** Inserts documents one after the other, and writes each number to one more document; tells `durable` of what is kept. */
  write(count: number, prefix: string): Promise<void>;
  /** Inserts one document of so many bytes. Resolves with `kept`, or with the code of the refusal. */
  insert(id: string, bytes: number): Promise<string>;
  ids(collection: string): Promise<string[]>;
  /** Writes that lie in the outbox on the disk. */
  storedWrites(): Promise<number>;
}

declare global {
  var tab: TabProgram;
  /** Of the test: a write of this id is kept, as far as the program was told. */
  var durable: (changeId: string) => void;
}

const name = new URLSearchParams(location.search).get('user') ?? 'ann';
const client = createClient({
  url: location.origin,
  auth: { userId: name },
  store: new IndexedDbStore(name),
  tabs: webTabs(name),
});
const subscriptions = new Map<string, Subscription>();
const violations: string[] = [];
const problems: string[] = [];

globalThis.tab = {
  client,
  violations,
  problems,
  subscribe: async (collection) => {
    const subscription = await client.subscribe(collection);
    subscriptions.set(collection, subscription);
    return await subscription.ready().then(
      () => 'complete',
      (error: { code: string }) => error.code,
    );
  },
  unsubscribe: async (collection) => await subscriptions.get(collection)?.unsubscribe(),
  stateOf: (collection) => {
    const state = subscriptions.get(collection)?.state;
    return state?.kind === 'error' ? `error ${state.code}` : String(state?.kind);
  },
  write,
  insert: async (id, bytes) =>
    await client
      .collection('edits')
      .insert({ _id: id, text: randomText(bytes) })
      .then(
        () => 'kept',
        (error: { code: string }) => error.code,
      ),
  ids: async (collection) => {
    const documents = await client.collection(collection).query().sort('_id').find();
    return documents.map(({ _id }) => String(_id));
  },
  storedWrites: () => storedWrites(name),
};

client.on('problem', ({ code }) => problems.push(code));
// Only ever inserted, never deleted: what was shown once must stay.
client
  .collection('edits')
  .query()
  .observe(({ diff }) => {
    for (const { document } of diff?.removed ?? []) violations.push(`${String(document._id)} vanished`);
  });
// Every tab counts upwards in a document of its own.
client
  .collection('counters')
  .query()
  .observe(({ diff }) => {
    for (const { previous, document } of diff?.changed ?? []) {
      if (Number(document.count) < Number(previous.count))
        violations.push(`${String(document._id)} went from ${String(previous.count)} to ${String(document.count)}`);
    }
    for (const { document } of diff?.removed ?? []) violations.push(`${String(document._id)} vanished`);
  });

async function write(count: number, prefix: string): Promise<void> {
  await client.collection('counters').insert({ _id: prefix, count: 0 });
  for (let number = 1; number <= count; number++) {
    const edit = client.collection('edits').insert({ _id: `${prefix}-${number}` });
    const counted = client.collection('counters').update(prefix, { count: number });
    for (const writing of [edit, counted]) {
      void writing.then(
        ({ changeId }) => durable(changeId),
        (error) => violations.push(`refused: ${String(error)}`),
      );
    }
    // A turn between two edits, and some of them wait for the disk: they come in batches of different sizes.
    if (number % 7 === 0) await edit;
    else await new Promise((resolve) => setTimeout(resolve));
  }
}

/** It cannot be compressed. */
function randomText(bytes: number): string {
  const letters = new Uint8Array(bytes);
  for (let start = 0; start < bytes; start += 65_536) crypto.getRandomValues(letters.subarray(start, start + 65_536));
  return Array.from(letters, (letter) => String.fromCharCode(33 + (letter % 90))).join('');
}
