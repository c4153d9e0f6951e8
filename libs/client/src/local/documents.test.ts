import { beforeEach, describe, expect, it } from '@jest/globals';
import { brandAs, type DeliveredMessage, type Document, type DocumentKey } from '@tidemark/protocol/core';
import fc from 'fast-check';
import { Documents } from './documents.ts';
import { Journal } from './journal.ts';

const key = (text: string) => brandAs<DocumentKey>(text);
const document = (version: number, fields: Record<string, unknown> = {}) =>
  ({ _id: 'a', ...fields, ...(version > 0 && { sync_version: version }) }) as unknown as Document;

function delivered(
  operation: 'insert' | 'update' | 'delete',
  version: number,
  fields: Partial<DeliveredMessage> = {},
): DeliveredMessage {
  const head = { id: `c${version}`, userId: 'ben', timestamp: 1_000 + version };
  const data = operation === 'insert' ? document(version, fields.data) : fields.data;
  return { ...head, operation, collection: 'tasks', documentId: 'a', version, ...fields, ...(data && { data }) };
}

let journal: Journal;
let documents: Documents;
const held = () => documents.get('tasks', key('a'));
const version = () => held()?.document.sync_version;

beforeEach(() => {
  journal = new Journal();
  documents = new Documents(journal);
});

describe('a told document', () => {
  it('replaces an older one, and is dropped when it is not newer', () => {
    documents.tell('tasks', document(2, { n: 2 }));
    documents.tell('tasks', document(3, { n: 3 }));
    documents.tell('tasks', document(3, { n: 'again' }));
    documents.tell('tasks', document(1, { n: 1 }));
    expect(held()?.document).toEqual(document(3, { n: 3 }));
  });

  it('replaces one that was, like itself, never written through the server', () => {
    documents.tell('tasks', document(0, { n: 1 }));
    documents.tell('tasks', document(0, { n: 2 }));
    expect(held()?.document.n).toBe(2);
    documents.tell('tasks', document(4));
    documents.tell('tasks', document(0, { n: 3 }));
    expect(version()).toBe(4);
  });

  it('does not come back from before a delete', () => {
    documents.deliver(delivered('delete', 5));
    documents.tell('tasks', document(4));
    expect(held()).toBeUndefined();
    documents.tell('tasks', document(5));
    expect(version()).toBe(5);
  });
});

describe('a delivered change', () => {
  it('brings the metadata of its version', () => {
    documents.tell('tasks', document(1, { n: 1, old: true }));
    documents.deliver(delivered('update', 2, { data: { n: 2 }, unset: ['old'] }));
    expect(held()?.document).toEqual({ _id: 'a', n: 2, sync_version: 2, sync_updated_at: 1_002, _updated_by: 'ben' });
  });

  it('is dropped when it is not newer than what is held', () => {
    documents.tell('tasks', document(5, { n: 5 }));
    for (const operation of ['insert', 'update', 'delete'] as const) {
      documents.deliver(delivered(operation, 4, { data: { n: 4 } }));
      documents.deliver(delivered(operation, 5, { data: { n: 4 } }));
    }
    expect(held()?.document).toEqual(document(5, { n: 5 }));
  });

  it('means nothing as an update of what is not held', () => {
    documents.deliver(delivered('update', 4, { data: { n: 4 } }));
    expect(held()).toBeUndefined();
  });

  it('from before a delete brings nothing back; from its very version it does', () => {
    documents.deliver(delivered('delete', 8, { reason: 'left' }));
    documents.deliver(delivered('insert', 7));
    expect(held()).toBeUndefined();
    documents.deliver(delivered('insert', 8));
    expect(version()).toBe(8);
  });

  it('twice is as good as once, in any order the newest wins', () => {
    const operations = fc.constantFrom('insert' as const, 'delete' as const);
    const histories = fc.array(operations, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(histories, fc.infiniteStream(fc.nat()), (history, dice) => {
        const fresh = new Documents(new Journal());
        const changes = history.map((operation, index) => delivered(operation, index + 1));
        const repeated = [...changes, ...changes].map((change) => ({ change, at: dice.next().value as number }));
        repeated.sort((a, b) => a.at - b.at);
        // The last one comes at the end once more: the stream is complete.
        for (const { change } of repeated) fresh.deliver(change);
        fresh.deliver(changes.at(-1) as DeliveredMessage);
        const left = fresh.get('tasks', key('a'))?.document.sync_version;
        expect(left).toBe(history.at(-1) === 'insert' ? history.length : undefined);
      }),
    );
  });
});

describe('a document in doubt', () => {
  it('stays in view, takes any whole version, and no partial one', () => {
    documents.tell('tasks', document(70, { n: 70 }));
    documents.markStale('tasks', () => true);
    expect(held()).toMatchObject({ stale: true, document: { n: 70 } });
    documents.deliver(delivered('update', 71, { data: { n: 71 } }));
    expect(held()?.document.n).toBe(70);
    documents.tell('tasks', document(2, { n: 2 }));
    expect(held()).toEqual({ stale: false, document: document(2, { n: 2 }) });
  });

  it('is only what the test says', () => {
    documents.tell('tasks', document(1));
    documents.markStale('tasks', ({ _id }) => _id !== 'a');
    documents.markStale('other', () => true);
    expect(held()?.stale).toBe(false);
  });
});

it('forgets deletes when told to, since versions may start anew', () => {
  documents.deliver(delivered('delete', 90));
  documents.forgetDeletes();
  documents.tell('tasks', document(1));
  expect(version()).toBe(1);
});

it('remembers a bounded number of deletes, the latest', () => {
  for (let index = 0; index <= 10_000; index++) documents.deliver(delivered('delete', 9, { documentId: `d${index}` }));
  documents.tell('tasks', { ...document(1), _id: 'd0' });
  documents.tell('tasks', { ...document(1), _id: 'd1' });
  expect([documents.get('tasks', key('d0')) !== undefined, documents.get('tasks', key('d1'))]).toEqual([
    true,
    undefined,
  ]);
});

it('drops what is unwanted and tells the journal', () => {
  documents.tell('tasks', document(1));
  journal.takeDirty();
  journal.takeTouched();
  documents.drop('tasks', () => true);
  expect(held()).toBeUndefined();
  expect([...journal.takeDirty().documents]).toEqual([['tasks', new Set(['a'])]]);
  expect([...journal.takeTouched()]).toEqual([['tasks', new Set(['a'])]]);
});

it('takes over records of the store without writing them again', () => {
  documents.restore({ collection: 'tasks', key: key('a'), document: document(3) });
  expect(journal.isDirty).toBe(false);
  expect(journal.takeTouched().size).toBe(1);
  documents.forget('tasks', key('a'));
  expect(journal.isDirty).toBe(false);
  expect(held()).toBeUndefined();
});
