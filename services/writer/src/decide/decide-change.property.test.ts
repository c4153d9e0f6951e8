import { describe, expect, it } from '@jest/globals';
import { type Change, type Document, isObject, type Json } from '@tidemark/protocol';
import fc from 'fast-check';
import { change, user } from '../testing/changes.ts';
import { Desk, fieldRules, openRules } from '../testing/decisions.ts';

const fieldNames = ['a', 'b', 'c', 'd'] as const;
const value = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(null), fc.constantFrom('x', 'y'));
const someFields = fc.dictionary(fc.constantFrom(...fieldNames), value, { maxKeys: 4 });
const allFields = fc.record(Object.fromEntries(fieldNames.map((name) => [name, value])));
const authors = fc.constantFrom('alice', 'bob', 'carol');

interface Write {
  readonly author: string;
  readonly change: Change;
}

interface Shape {
  readonly operations: readonly Change['operation'][];
  readonly data: fc.Arbitrary<Record<string, Json>>;
  readonly timestamps: readonly number[];
  readonly canUnset: boolean;
}

/** Writes of one document, one for each timestamp. */
function writes({ operations, data, timestamps, canUnset }: Shape): fc.Arbitrary<Write[]> {
  return fc.tuple(
    ...timestamps.map((timestamp) =>
      fc
        .record({
          author: authors,
          operation: fc.constantFrom(...operations),
          data,
          unset: fc.subarray([...fieldNames]),
        })
        .map(({ author, operation, data: given, unset }) => ({
          author,
          change: change({
            operation,
            timestamp,
            data: operation === 'delete' ? {} : given,
            unset: canUnset && operation === 'update' ? unset.filter((name) => !(name in given)) : [],
          }),
        })),
    ),
  );
}

const distinct = [10, 20, 30, 40, 50, 60];
const inTwoOrders = (all: fc.Arbitrary<Write[]>) =>
  all.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));

function deskAfter(list: readonly Write[], rules = openRules): Desk {
  const desk = new Desk({ rules });
  for (const write of list) desk.decide(write.change, user(write.author));
  return desk;
}

/** What must not depend on the order of arrival. */
function outcomeOf(desk: Desk) {
  if (desk.state?.kind === 'document') {
    return { fields: desk.fields, timestamp: desk.document?.sync_updated_at };
  }
  return { deletedAt: desk.state?.timestamp };
}

describe('the order of arrival does not matter', () => {
  it('merge by document: whole documents and deletes', () => {
    const whole = writes({ operations: ['insert', 'delete'], data: someFields, timestamps: distinct, canUnset: false });
    fc.assert(
      fc.property(inTwoOrders(whole), ([list, shuffled]) => {
        const [desk, other] = [deskAfter(list), deskAfter(shuffled)];
        expect(outcomeOf(other)).toEqual(outcomeOf(desk));
        expect(other.document?._updated_by).toBe(desk.document?._updated_by);
      }),
      { numRuns: 500 },
    );
  });

  it('merge by document: updates that give every field', () => {
    const full = writes({ operations: ['insert', 'update'], data: allFields, timestamps: distinct, canUnset: false });
    fc.assert(
      fc.property(inTwoOrders(full), ([list, shuffled]) => {
        expect(outcomeOf(deskAfter(shuffled))).toEqual(outcomeOf(deskAfter(list)));
      }),
      { numRuns: 500 },
    );
  });

  it('merge by field: any inserts, updates and removals of fields, and the latest of each field stands', () => {
    const partial = writes({
      operations: ['insert', 'update'],
      data: someFields,
      timestamps: distinct,
      canUnset: true,
    });
    fc.assert(
      fc.property(inTwoOrders(partial), ([list, shuffled]) => {
        const desk = deskAfter(list, fieldRules);
        expect(outcomeOf(deskAfter(shuffled, fieldRules))).toEqual(outcomeOf(desk));
        expect(desk.fields).toEqual(latestFields(list));
      }),
      { numRuns: 1_000 },
    );
  });
});

/** The same by brute force: for every field the last write in the order of time. */
function latestFields(list: readonly Write[]): Record<string, Json> {
  const fields: Record<string, Json> = {};
  const inTime = [...list].sort((x, y) => (x.change.timestamp ?? 0) - (y.change.timestamp ?? 0));
  for (const { change: made } of inTime) {
    Object.assign(fields, made.data);
    for (const name of made.unset) delete fields[name];
  }
  return fields;
}

const anything = (timestamps: readonly number[]) =>
  writes({ operations: ['insert', 'update', 'delete'], data: someFields, timestamps, canUnset: true });
/** Times with ties, also between different authors. */
const anyTimes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 });
const anyHistory = anyTimes.chain(anything);
const anyRules = fc.constantFrom(openRules, fieldRules);

describe('any history', () => {
  it('the same change again by the same author changes nothing but the seq', () => {
    fc.assert(
      fc.property(anyHistory, anyRules, (list, rules) => {
        const desk = deskAfter(list, rules);
        const again = list.at(-1)!;
        const before = outcomeOf(desk);
        desk.decide(again.change, user(again.author));
        expect(outcomeOf(desk)).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });

  it('the version of a document never goes back, and at a tie another author changes nothing', () => {
    fc.assert(
      fc.property(anyHistory, (list) => {
        const desk = new Desk();
        for (const { change: made, author } of list) {
          const old = versionOf(desk);
          const { kind } = desk.decide(made, user(author));
          expect(versionOf(desk).timestamp).toBeGreaterThanOrEqual(old.timestamp);
          if (made.timestamp === old.timestamp && old.author !== author) expect(kind).toBe('superseded');
          if (made.timestamp! < old.timestamp) expect(kind).toBe('superseded');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('entries chain: what was is what is stored, and a client makes of an update the same document', () => {
    fc.assert(
      fc.property(anyHistory, anyRules, (list, rules) => {
        const desk = new Desk({ rules });
        for (const { change: made, author } of list) {
          const before = desk.document;
          const decision = desk.decide(made, user(author));
          if (decision.kind !== 'applied') {
            expect(desk.document).toBe(before);
            continue;
          }
          const { entry } = decision;
          expect(entry.before).toEqual(before);
          expect(entry.after).toEqual(desk.document);
          expect(entry.after === null).toBe(entry.operation === 'delete');
          if (entry.operation === 'update') expect(applyAsClient(before!, entry)).toEqual(entry.after);
          expect(entry.timestamp).toBe(entry.after?.sync_updated_at ?? entry.timestamp);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('deciding leaves what it was given as it was', () => {
    fc.assert(
      fc.property(anyHistory, anyRules, (list, rules) => {
        const desk = deskAfter(list.slice(0, -1), rules);
        const last = list.at(-1)!;
        freeze(desk.state);
        freeze(last.change);
        desk.decide(last.change, user(last.author));
      }),
    );
  });

  it('without timestamps every change wins over what stands', () => {
    fc.assert(
      fc.property(anyHistory, (list) => {
        const desk = new Desk();
        for (const { change: made, author } of list) {
          const isDead = desk.state?.kind === 'tombstone' && made.operation === 'update';
          const old = versionOf(desk);
          const decision = desk.decide({ ...made, timestamp: undefined }, user(author));
          expect(decision.kind).toBe(isDead ? 'superseded' : 'applied');
          if (!isDead) expect(versionOf(desk).timestamp).toBeGreaterThan(old.timestamp);
        }
      }),
    );
  });
});

function versionOf({ state }: Desk): { readonly timestamp: number; readonly author: string | undefined } {
  if (state === undefined) return { timestamp: 0, author: undefined };
  if (state.kind === 'tombstone') return state;
  return { timestamp: state.document.sync_updated_at ?? 0, author: state.document._updated_by };
}

type Applied = Extract<ReturnType<Desk['decide']>, { kind: 'applied' }>;

function applyAsClient(before: Document, entry: Applied['entry']): Record<string, unknown> {
  const metadata = { sync_updated_at: entry.timestamp, _updated_by: entry.author, sync_version: entry.seq };
  const after: Record<string, unknown> = { ...before, ...entry.data, ...metadata };
  for (const name of entry.unset ?? []) delete after[name];
  return after;
}

function freeze(value: unknown): void {
  if (!isObject(value) && !Array.isArray(value)) return;
  Object.freeze(value);
  for (const member of Object.values(value)) freeze(member);
}
