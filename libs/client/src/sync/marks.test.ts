import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/manual-clock.ts';
import { Marks } from './marks.ts';

let clock: ManualClock;
let awaited: string[];
let questions: ((checkpoint: string) => void)[];
let arrivals: { checkpoint: string; awaited: readonly string[] }[];
let caughtUp: number;
let marks: Marks;

beforeEach(() => {
  clock = new ManualClock();
  [awaited, questions, arrivals, caughtUp] = [[], [], [], 0];
  marks = new Marks({
    settlement: { awaited: () => [...awaited] } as never,
    requests: clock,
    ask: (answered) => questions.push(answered),
    arrived: (checkpoint, ids) => arrivals.push({ checkpoint, awaited: ids }),
    caughtUp: () => {
      caughtUp += 1;
    },
  });
});

describe('Marks', () => {
  it('asks one question at a time; the next one covers all that was wanted meanwhile', () => {
    marks.want();
    marks.want();
    marks.want();
    expect(questions).toHaveLength(1);
    questions[0]?.('c1');
    expect([questions.length, caughtUp]).toEqual([2, 0]);
    questions[1]?.('c2');
    expect([questions.length, caughtUp]).toEqual([2, 1]);
  });

  it('answers for what had been decided when it asked, not for what came later', () => {
    awaited = ['early'];
    marks.want();
    awaited = ['early', 'late'];
    questions[0]?.('c1');
    expect(arrivals).toEqual([{ checkpoint: 'c1', awaited: ['early'] }]);
  });

  it('asks only for what does not come by itself', () => {
    marks.wantSoon();
    expect(clock.timers).toBe(0);
    awaited = ['w'];
    marks.wantSoon();
    marks.wantSoon();
    expect(clock.timers).toBe(1);
    awaited = [];
    clock.advance(100);
    expect(questions).toEqual([]);
    awaited = ['w'];
    marks.wantSoon();
    clock.advance(100);
    expect(questions).toHaveLength(1);
  });
});
