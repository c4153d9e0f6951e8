import { describe, expect, it } from '@jest/globals';
import { type Change, laneOf, type Outcome, type WriteRequest } from '@tidemark/protocol';
import type { CommitPlan, RecordedOutcome, Snapshot, StoredState } from '@tidemark/storage';
import type { DecideContext } from '../decide/index.ts';
import { insert, job, remove, request, tasks, update, user } from '../testing/changes.ts';
import { clock, context, rulesOf } from '../testing/decisions.ts';
import { PendingJob } from './pending-job.ts';
import { planUnits } from './plan-units.ts';
import { unitsOf } from './unit.ts';

const settlement = { resolve: () => undefined, reject: () => undefined };

/** A store in memory that takes plans. */
class Stored {
  readonly heads = new Map<number, number>();
  readonly states = new Map<string, StoredState>();
  readonly outcomes = new Map<string, RecordedOutcome>();

  snapshot(): Snapshot {
    return {
      head: (lane) => (this.heads.get(lane) ?? 0) as never,
      state: ({ collection, key }) => this.states.get(`${collection}/${key}`),
      outcome: ({ author, id }) => this.outcomes.get(`${author}/${id}`),
    };
  }

  take(plan: CommitPlan): void {
    for (const entry of plan.entries) {
      this.heads.set(entry.lane, entry.seq);
      this.outcomes.set(`${entry.author}/${entry.id}`, { ...entry, kind: 'applied' });
    }
    for (const { ref, state } of plan.states) this.states.set(`${ref.collection}/${ref.key}`, state);
    for (const outcome of plan.superseded) this.outcomes.set(`${outcome.author}/${outcome.id}`, outcome);
  }

  decide(requests: readonly WriteRequest[], spec: Partial<DecideContext> = {}, lanes = 1) {
    const units = unitsOf(new PendingJob(job(requests), settlement), lanes);
    const { plan, result } = planUnits(units, this.snapshot(), context(spec));
    this.take(plan);
    return { plan, outcomes: result.outcomes, faults: result.faults };
  }
}

const brief = (outcomes: readonly Outcome[] | undefined) =>
  outcomes?.map((outcome) => (outcome.kind === 'rejected' ? outcome.code : outcome.kind));
const atomic = (changes: readonly Change[], spec: Partial<WriteRequest> = {}) =>
  request(changes, { ...spec, atomic: true });

describe('a transaction', () => {
  it('every change sees those before it; each has its entry, the document one state', () => {
    const { plan } = new Stored().decide([
      request([insert({ n: 1 }), update({ m: 2 }), remove(), insert({ k: 3 })]),
      request([update({ j: 4 })], { author: user('bob') }),
    ]);
    expect(plan.entries.map(({ seq, operation }) => [seq, operation])).toEqual([
      [1, 'insert'],
      [2, 'update'],
      [3, 'delete'],
      [4, 'insert'],
      [5, 'update'],
    ]);
    expect(plan.states).toHaveLength(1);
    expect(plan.states[0]?.state).toMatchObject({ document: { k: 3, j: 4, sync_version: 5, _updated_by: 'bob' } });
    plan.entries.slice(1).forEach((entry, index) => {
      expect(entry.before).toEqual(plan.entries[index]?.after);
    });
  });

  it('numbers every lane for itself', () => {
    const changes = Array.from({ length: 20 }, (_, n) => insert({ n }, { documentId: `d${n}` }));
    const { plan } = new Stored().decide([request(changes)], {}, 3);
    for (const lane of [0, 1, 2]) {
      const entries = plan.entries.filter((entry) => entry.lane === lane);
      expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, n) => n + 1));
      for (const { key } of entries) expect(laneOf(tasks, key, 3)).toBe(lane);
    }
  });

  it('remembers what was superseded, not what was rejected', () => {
    const rules = rulesOf('collections: { tasks: { read: true, insert: true, update: "locked != true" } }');
    const { plan, outcomes } = new Stored().decide(
      [
        request([
          insert({ a: 1 }, { timestamp: 10 }),
          update({ a: 2 }, { timestamp: 9, id: 'late' }),
          update({ locked: true }),
        ]),
      ],
      { rules },
    );
    expect(brief(outcomes[0])).toEqual(['applied', 'superseded', 'forbidden']);
    expect(plan.superseded).toEqual([
      {
        author: 'alice',
        id: 'late',
        kind: 'superseded',
        collection: 'tasks',
        documentId: 'd1',
        timestamp: clock,
        committedAt: clock,
      },
    ]);
  });

  it('the same documents under like names do not mix', () => {
    const { plan } = new Stored().decide([
      request([
        insert({ n: 1 }, { collection: 'a', documentId: 'b/c' }),
        insert({ n: 2 }, { collection: 'a/b', documentId: 'c' }),
        insert({ n: 3 }, { collection: 'a', documentId: { $oid: '0123456789abcdef01234567' } }),
        insert({ n: 4 }, { collection: 'a', documentId: '0123456789abcdef01234567' }),
      ]),
    ]);
    expect(plan.states).toHaveLength(4);
    expect(plan.entries.every(({ before }) => before === null)).toBe(true);
  });

  it('authors whose name and id run together do not mix', () => {
    const { outcomes } = new Stored().decide([
      request([insert({}, { id: '1x' })], { author: user('a') }),
      request([insert({}, { id: 'x' })], { author: user('a1') }),
      request([insert({}, { id: '1:ax' })], { author: user('') }),
    ]);
    expect(outcomes.flat().map(({ kind }) => kind)).toEqual(['applied', 'applied', 'applied']);
  });

  it('can be decided again from the same snapshot with the same result', () => {
    const stored = new Stored();
    stored.decide([request([insert({ a: 1 })])]);
    const units = unitsOf(
      new PendingJob(job([request([update({ b: 1 }), remove(), insert({ c: 1 })])]), settlement),
      1,
    );
    const snapshot = stored.snapshot();
    expect(planUnits(units, snapshot, context())).toEqual(planUnits(units, snapshot, context()));
  });
});

describe('an atomic request', () => {
  it('is written whole when every member succeeds', () => {
    const { outcomes, plan } = new Stored().decide([atomic([insert({ a: 1 }), update({ b: 2 })])]);
    expect(brief(outcomes[0])).toEqual(['applied', 'applied']);
    expect(plan.entries).toHaveLength(2);
  });

  it('a superseded member aborts all: it keeps its outcome, the others are aborted, nothing is written or remembered', () => {
    const stored = new Stored();
    stored.decide([request([insert({ a: 1 }, { documentId: 'old', timestamp: 50 })])]);
    const changes = [
      insert({ x: 1 }, { documentId: 'new', timestamp: 60 }),
      update({ a: 2 }, { documentId: 'old', timestamp: 40 }),
      insert({ y: 1 }, { documentId: 'newer', timestamp: 60 }),
    ];
    const { outcomes, plan } = stored.decide([atomic(changes)]);
    expect(brief(outcomes[0])).toEqual(['atomic_aborted', 'superseded', 'atomic_aborted']);
    expect(plan).toEqual({ entries: [], states: [], superseded: [] });
    const single = stored.decide([request(changes)]);
    expect(brief(single.outcomes[0])).toEqual(['applied', 'superseded', 'applied']);
  });

  it('the loser is shown what stays, not what was aborted with it', () => {
    const stored = new Stored();
    stored.decide([request([insert({ a: 1 }, { timestamp: 50 })])]);
    const { outcomes } = stored.decide([
      atomic([update({ a: 2 }, { timestamp: 60 }), update({ a: 3 }, { timestamp: 55 })]),
    ]);
    expect(outcomes[0]?.[1]).toMatchObject({ kind: 'superseded', current: { a: 1, sync_version: 1 } });
  });

  it('a rejected member aborts all', () => {
    const rules = rulesOf('collections: { tasks: { read: true, insert: owner == $user.sub } }');
    const { outcomes } = new Stored().decide(
      [
        atomic([
          insert({ owner: 'alice' }, { documentId: 'd1' }),
          insert({ owner: 'bob' }, { documentId: 'd2' }),
          insert({ owner: 'bob' }, { documentId: 'd3' }),
        ]),
      ],
      { rules },
    );
    expect(brief(outcomes[0])).toEqual(['atomic_aborted', 'forbidden', 'atomic_aborted']);
  });

  it('that is aborted leaves what stands before and after it in the transaction', () => {
    const { outcomes, plan } = new Stored().decide([
      request([insert({ a: 1 }, { timestamp: 50 })]),
      atomic([update({ b: 1 }, { timestamp: 60 }), remove({ timestamp: 40 })]),
      request([update({ c: 1 }, { timestamp: 51 })]),
    ]);
    expect(outcomes.map(brief)).toEqual([['applied'], ['atomic_aborted', 'superseded'], ['applied']]);
    expect(plan.entries.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(plan.states[0]?.state).toMatchObject({ document: { a: 1, c: 1 } });
  });

  it('sent again after it was committed is all duplicates', () => {
    const stored = new Stored();
    const changes = [insert({ a: 1 }), update({ b: 2 })];
    stored.decide([atomic(changes)]);
    const { outcomes, plan } = stored.decide([atomic(changes)]);
    expect(outcomes[0]).toMatchObject([
      { kind: 'duplicate', first: 'applied', seq: 1 },
      { kind: 'duplicate', first: 'applied', seq: 2 },
    ]);
    expect(plan.entries).toEqual([]);
  });

  it('a member that was applied before counts as done, also in the answer of a batch that is aborted', () => {
    const stored = new Stored();
    const done = insert({ a: 1 }, { timestamp: 50 });
    stored.decide([request([done])]);
    const mixed = stored.decide([atomic([done, update({ b: 2 }, { timestamp: 60 })])]);
    expect(brief(mixed.outcomes[0])).toEqual(['duplicate', 'applied']);
    const aborted = stored.decide([
      atomic([update({ c: 1 }, { timestamp: 70 }), update({ d: 1 }, { timestamp: 1 }), done]),
    ]);
    expect(brief(aborted.outcomes[0])).toEqual(['atomic_aborted', 'superseded', 'duplicate']);
  });

  it('a member that was superseded before aborts it and is answered as then', () => {
    const stored = new Stored();
    const lost = update({ a: 2 }, { timestamp: 1 });
    stored.decide([request([insert({ a: 1 }, { timestamp: 50 }), lost])]);
    const { outcomes, plan } = stored.decide([atomic([update({ b: 1 }, { timestamp: 60 }), lost])]);
    expect(brief(outcomes[0])).toEqual(['atomic_aborted', 'duplicate']);
    expect(outcomes[0]?.[1]).toMatchObject({ first: 'superseded', current: { a: 1, sync_version: 1 } });
    expect(plan.entries).toEqual([]);
  });

  it('a member that cannot be decided aborts it, and the fault is told', () => {
    const open = context().rules;
    const rules = {
      canRead: open.canRead,
      settings: (name: Parameters<typeof open.settings>[0]) => open.settings(name),
      writeFault: () => {
        throw new TypeError('a bug');
      },
    };
    const { outcomes, faults } = new Stored().decide([atomic([insert({ a: 1 }), insert({ b: 1 })])], { rules });
    expect(brief(outcomes[0])).toEqual(['internal', 'atomic_aborted']);
    expect(faults).toHaveLength(1);
  });
});
