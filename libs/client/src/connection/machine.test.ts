import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defaultBackoff } from './backoff.ts';
import { type ConnectionEffect, type ConnectionEvent, type ConnectionState, transition } from './machine.ts';

const problem = { code: 'unavailable', message: 'gone' };
const states: Readonly<Record<ConnectionState['kind'], ConnectionState>> = {
  paused: { kind: 'paused' },
  waiting: { kind: 'waiting', failures: 2, problem },
  connecting: { kind: 'connecting', failures: 2 },
  joining: { kind: 'joining', failures: 2 },
  catchingUp: { kind: 'catchingUp', failures: 2 },
  live: { kind: 'live' },
  blocked: { kind: 'blocked', problem },
  closed: { kind: 'closed' },
};
const refusal = { kind: 'refused', problem: { code: 'overloaded', message: 'busy' } } as const;
const events: Readonly<Record<ConnectionEvent['kind'], readonly ConnectionEvent[]>> = {
  resume: [{ kind: 'resume' }],
  pause: [{ kind: 'pause' }],
  close: [{ kind: 'close' }],
  wake: [{ kind: 'wake' }],
  timer: [{ kind: 'timer' }],
  opened: [{ kind: 'opened' }],
  failed: [{ kind: 'failed', problem }],
  joined: [{ kind: 'joined' }],
  refused: [
    { ...refusal, retry: true },
    { ...refusal, retry: false },
  ],
  drained: [{ kind: 'drained', reconnectAfterMs: 1_000 }],
  caughtUp: [{ kind: 'caughtUp' }],
  behind: [{ kind: 'behind' }],
};
const context = { random: 0.5, backoff: defaultBackoff };
const step = (state: ConnectionState, event: ConnectionEvent) => transition(state, event, context);

/** The table of SPEC.md: event → state → what it says. */
function specifiedTable(): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const text = readFileSync(join(__dirname, 'SPEC.md'), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| ') && line.split('|').length === 11);
  const [head = [], ...body] = rows.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return new Map(
    body.map(([event = '', ...cells]) => [event, new Map(cells.map((cell, index) => [head[index + 1] ?? '', cell]))]),
  );
}

describe('SPEC.md and the machine', () => {
  const table = specifiedTable();

  it('name the same states and events', () => {
    expect([...table.keys()].sort()).toEqual(Object.keys(events).sort());
    for (const cells of table.values()) expect([...cells.keys()].sort()).toEqual(Object.keys(states).sort());
  });

  for (const [event, cells] of table) {
    for (const [state, cell] of cells) {
      it(`agree on ${event} in ${state}: ${cell}`, () => {
        const from = states[state as keyof typeof states];
        const expected = cell === '-' ? events[event as keyof typeof events].map(() => state) : cell.split(' / ');
        const reached = events[event as keyof typeof events].map((one) => step(from, one).state.kind);
        expect([...new Set(reached)]).toEqual([...new Set(expected)]);
        if (cell === '-')
          for (const one of events[event as keyof typeof events])
            expect(step(from, one)).toEqual({ state: from, effects: [] });
      });
    }
  }
});

const kinds = (effects: readonly ConnectionEffect[]) => effects.map(({ kind }) => kind);
const hasSocket = (state: ConnectionState) => ['connecting', 'joining', 'catchingUp', 'live'].includes(state.kind);

describe('the invariants', () => {
  const anyEvent = fc.constantFrom(...Object.values(events).flat());
  const walks = fc.array(anyEvent, { maxLength: 60 });
  const walk = (
    path: readonly ConnectionEvent[],
    check: (from: ConnectionState, event: ConnectionEvent, to: ReturnType<typeof step>) => void,
  ) => {
    let state: ConnectionState = states.paused;
    for (const event of path) {
      const next = step(state, event);
      check(state, event, next);
      state = next.state;
    }
  };

  it('1: there is a socket exactly in the states that say so', () => {
    fc.assert(
      fc.property(walks, (path) => {
        let isOpen = false;
        walk(path, (_from, _event, { state, effects }) => {
          for (const kind of kinds(effects)) {
            if (kind === 'open') {
              expect(isOpen).toBe(false);
              isOpen = true;
            }
            if (kind === 'shut') isOpen = false;
          }
          expect(isOpen).toBe(hasSocket(state));
        });
      }),
    );
  });

  it('2: there is a timer exactly in waiting', () => {
    fc.assert(
      fc.property(walks, (path) => {
        let isRunning = false;
        walk(path, (_from, event, { state, effects }) => {
          if (event.kind === 'timer' && isRunning) isRunning = false;
          for (const kind of kinds(effects)) {
            if (kind === 'wait') {
              expect(isRunning).toBe(false);
              isRunning = true;
            }
            if (kind === 'shut') isRunning = false;
          }
          expect(isRunning).toBe(state.kind === 'waiting');
        });
      }),
    );
  });

  it('3: joins once per socket, when it has opened', () => {
    fc.assert(
      fc.property(walks, (path) => {
        walk(path, (from, event, { effects }) => {
          const isOpening = from.kind === 'connecting' && event.kind === 'opened';
          expect(kinds(effects).includes('join')).toBe(isOpening);
        });
      }),
    );
  });

  it('4: nothing leaves closed, and only the program leaves paused and blocked', () => {
    fc.assert(
      fc.property(walks, (path) => {
        walk(path, (from, event, { state }) => {
          if (from.kind === 'closed') expect(state).toEqual(from);
          const isProgram = ['resume', 'pause', 'close'].includes(event.kind);
          if ((from.kind === 'paused' || from.kind === 'blocked') && !isProgram) expect(state).toEqual(from);
        });
      }),
    );
  });

  it('5: failures grow by one, and end in live, paused and blocked only', () => {
    fc.assert(
      fc.property(walks, (path) => {
        walk(path, (from, event, { state }) => {
          const before = 'failures' in from ? from.failures : 0;
          if (!('failures' in state) || state === from) return;
          const isFailure = event.kind === 'failed' || (event.kind === 'refused' && event.retry);
          expect(state.failures).toBe(isFailure ? before + 1 : before);
        });
      }),
    );
  });

  it('6: waits as long as the server asks, else as long as the back-off says', () => {
    const waitOf = (event: ConnectionEvent, random: number) =>
      transition(states.live, event, { random, backoff: defaultBackoff }).effects.find(
        (effect) => effect.kind === 'wait',
      );
    expect(waitOf({ ...refusal, retry: true, retryAfterMs: 9_000 }, 0)).toEqual({ kind: 'wait', ms: 9_000 });
    expect(waitOf({ ...refusal, retry: true, retryAfterMs: 1 }, 0)).toEqual({ kind: 'wait', ms: 250 });
    expect(waitOf({ kind: 'drained', reconnectAfterMs: 1_000 }, 0.5)).toEqual({ kind: 'wait', ms: 1_125 });
    expect(waitOf({ kind: 'failed', problem }, 0.5)).toEqual({ kind: 'wait', ms: 375 });
  });
});
