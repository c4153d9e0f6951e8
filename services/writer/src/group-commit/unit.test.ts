import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { insert, job, request } from '../testing/changes.ts';
import { PendingJob } from './pending-job.ts';
import { cutUnit, halve, type Unit, unitsOf } from './unit.ts';

const settlement = { resolve: () => undefined, reject: () => undefined };

const jobs = fc
  .array(fc.record({ changes: fc.integer({ min: 1, max: 9 }), atomic: fc.boolean() }), { minLength: 1, maxLength: 6 })
  .map((shapes) =>
    job(
      shapes.map(({ changes, atomic }) =>
        request(
          Array.from({ length: changes }, () => insert({})),
          { atomic },
        ),
      ),
    ),
  );

/** All the way down. */
function leaves(units: readonly Unit[]): readonly Unit[] {
  const halves = halve(units, (unit) => cutUnit(unit, unit.items.length >> 1));
  return halves === undefined ? units : [...leaves(halves[0]), ...leaves(halves[1])];
}

describe('units', () => {
  it('halve down to single changes and whole atomic requests, in order and in their places', () => {
    fc.assert(
      fc.property(jobs, (made) => {
        const parts = leaves(unitsOf(new PendingJob(made, settlement), 4));
        for (const { request: own, items } of parts) {
          expect(items).toHaveLength(own.atomic ? own.changes.length : 1);
        }
        for (const { request: own, requestIndex, offset, items } of parts) {
          expect(made.requests[requestIndex]).toBe(own);
          expect(items.map(({ change }) => change)).toEqual(own.changes.slice(offset, offset + items.length));
        }
        const all = made.requests.flatMap(({ changes }) => changes);
        expect(parts.flatMap(({ items }) => items.map(({ change }) => change))).toEqual(all);
      }),
    );
  });

  it('cannot be cut at their ends', () => {
    const [unit] = unitsOf(new PendingJob(job([request([insert({}), insert({})])]), settlement), 1);
    expect(cutUnit(unit!, 0)).toBeUndefined();
    expect(cutUnit(unit!, 2)).toBeUndefined();
    expect(cutUnit(unit!, 1)?.map(({ items }) => items.length)).toEqual([1, 1]);
  });
});

describe('a pending job', () => {
  it('is complete with the last answer, in whatever order they come, and settles once', () => {
    const settled: unknown[] = [];
    const pending = new PendingJob(job([request([insert({}), insert({})]), request([insert({})])]), {
      resolve: () => settled.push('done'),
      reject: (error) => settled.push(error),
    });
    const outcome = (n: number) => ({ kind: 'applied', changeId: `c${n}`, timestamp: n, lane: 0, seq: n }) as never;
    pending.answer(1, 0, [outcome(3)]);
    pending.answer(0, 1, [outcome(2)]);
    expect(pending.isComplete).toBe(false);
    pending.answer(0, 0, [outcome(1)]);
    expect(pending.isComplete).toBe(true);
    expect(pending.reply().outcomes).toEqual([[outcome(1), outcome(2)], [outcome(3)]]);
    pending.fail(new Error('too late'));
    pending.finish();
    expect(settled).toEqual(['done']);
  });

  it('that failed is told so once', () => {
    const settled: unknown[] = [];
    const pending = new PendingJob(job([request([insert({})])]), {
      resolve: () => settled.push('done'),
      reject: (error) => settled.push(error),
    });
    pending.fail('first');
    pending.fail('second');
    expect(settled).toEqual(['first']);
    expect(pending.isFailed).toBe(true);
  });
});
