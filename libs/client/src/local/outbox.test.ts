import { beforeEach, describe, expect, it } from '@jest/globals';
import { brandAs, type DocumentKey } from '@tidemark/protocol/core';
import { Journal } from './journal.ts';
import { Outbox } from './outbox.ts';
import type { OutboxEntry } from './records.ts';

let journal: Journal;
let outbox: Outbox;

const entry = (id: string, documentId = 'a', timestamp = 1): OutboxEntry => {
  const key = brandAs<DocumentKey>(documentId);
  return {
    id,
    operation: 'update',
    collection: 'tasks',
    documentId,
    key,
    data: {},
    unset: [],
    timestamp,
    stage: 'accepted',
    bytes: 10,
  };
};
const ofA = () => outbox.ofDocument('tasks', brandAs<DocumentKey>('a')).map(({ id }) => id);

beforeEach(() => {
  journal = new Journal();
  outbox = new Outbox(journal);
});

describe('Outbox', () => {
  it('keeps the order, of all and of each document', () => {
    outbox.add(entry('1'));
    outbox.add(entry('2', 'b'));
    outbox.add(entry('3'));
    expect([...outbox.entries()].map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect(ofA()).toEqual(['1', '3']);
    outbox.setStage('1', 'applied');
    expect([...outbox.entries()].map(({ id, stage }) => `${id} ${stage}`)).toEqual([
      '1 applied',
      '2 accepted',
      '3 accepted',
    ]);
    expect(ofA()).toEqual(['1', '3']);
  });

  it('puts what another tab wrote earlier where it belongs', () => {
    outbox.add(entry('2', 'a', 2));
    outbox.add(entry('4', 'a', 4));
    outbox.restore(entry('3', 'a', 3));
    outbox.restore(entry('1', 'b', 1));
    outbox.add(entry('5', 'a', 5));
    expect([...outbox.entries()].map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5']);
    expect(ofA()).toEqual(['2', '3', '4', '5']);
    outbox.setStage('3', 'applied');
    expect(ofA()).toEqual(['2', '3', '4', '5']);
  });

  it('counts what waits and what is shown', () => {
    outbox.add(entry('1'));
    outbox.add(entry('2'));
    outbox.setStage('1', 'applied');
    outbox.setStage('1', 'applied');
    expect([outbox.pendingCount, outbox.size]).toEqual([1, 2]);
    outbox.remove('2');
    outbox.remove('2');
    expect([outbox.pendingCount, outbox.size]).toEqual([0, 1]);
    outbox.remove('1');
    expect([outbox.pendingCount, outbox.size, ofA()]).toEqual([0, 0, []]);
  });

  it('notes what is to be written and what looks different', () => {
    outbox.add(entry('1'));
    expect([...journal.takeDirty().entries]).toEqual(['1']);
    expect(journal.takeTouched().size).toBe(1);
    outbox.setStage('1', 'applied');
    expect([...journal.takeDirty().entries]).toEqual(['1']);
    expect(journal.takeTouched().size).toBe(0);
    outbox.remove('1');
    expect([...journal.takeDirty().entries]).toEqual(['1']);
    expect(journal.takeTouched().size).toBe(1);
  });

  it('hides more and more of an overtaken write', () => {
    outbox.add(entry('1'));
    outbox.hide('1', ['x']);
    outbox.hide('1', ['x', 'y']);
    expect(outbox.get('1')?.hidden).toEqual(['x', 'y']);
    outbox.hide('1', 'all');
    outbox.hide('1', ['z']);
    outbox.hide('none', ['z']);
    expect(outbox.get('1')?.hidden).toBe('all');
  });

  it('takes over and forgets without a trace in the store', () => {
    outbox.restore(entry('1'));
    expect(journal.isDirty).toBe(false);
    expect(outbox.forget('1')).toBe(true);
    expect(outbox.forget('1')).toBe(false);
    expect(journal.isDirty).toBe(false);
  });
});
