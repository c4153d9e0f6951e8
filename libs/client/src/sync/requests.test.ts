import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/manual-clock.ts';
import { Requests } from './requests.ts';

let clock: ManualClock;
let answers: ((answer: unknown) => void)[];
let lost: string[];
let requests: Requests;

beforeEach(() => {
  clock = new ManualClock();
  [answers, lost] = [[], []];
  const socket = {
    request: (_event: string, _payload: unknown, answered: (answer: unknown) => void) => void answers.push(answered),
    close: () => {},
  };
  requests = new Requests({ clock, socket, requestTimeoutMs: 1_000, lost: (message) => lost.push(message) });
});

describe('Requests', () => {
  it('hands the answer on and stops to wait', () => {
    const heard: unknown[] = [];
    requests.send('sync:join', {}, { answered: (answer) => heard.push(answer) });
    answers[0]?.({ success: true });
    clock.advance(5_000);
    expect([heard, lost, clock.timers]).toEqual([[{ success: true }], [], 0]);
  });

  it('counts the connection as lost when an answer does not come', () => {
    requests.send('sync:join', {}, { answered: () => {} });
    clock.advance(999);
    requests.heard();
    expect(lost).toEqual([]);
    clock.advance(1);
    expect(lost).toEqual(['sync:join was not answered within 1000 ms']);
  });

  it('has patience, where asked for, as long as anything comes', () => {
    requests.send('sync:mark', {}, { answered: () => {}, isPatient: true });
    for (let second = 0; second < 10; second++) {
      clock.advance(900);
      requests.heard();
    }
    expect(lost).toEqual([]);
    clock.advance(1_000);
    expect(lost).toHaveLength(1);
  });

  it('hears nothing and runs no timer after the end', () => {
    const heard: unknown[] = [];
    requests.send('sync:join', {}, { answered: (answer) => heard.push(answer) });
    requests.after(10, () => heard.push('timer'));
    requests.end();
    answers[0]?.({ success: true });
    clock.advance(5_000);
    expect([heard, lost, clock.timers]).toEqual([[], [], 0]);
  });

  it('cancels a timer', () => {
    const heard: unknown[] = [];
    const cancel = requests.after(10, () => heard.push('timer'));
    cancel();
    cancel();
    clock.advance(100);
    expect([heard, clock.timers]).toEqual([[], 0]);
  });
});
