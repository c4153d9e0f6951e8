import type { Millis } from '@tidemark/protocol/core';
import { type BackoffSettings, backoffMs, spreadMs } from './backoff.ts';

/** Why there is no connection, as far as a person can use it. */
export interface ConnectionProblem {
  readonly code: string;
  readonly message: string;
}

/** Described in SPEC.md. `failures` counts attempts in a row that did not get as far as `live`. */
export type ConnectionState =
  | { readonly kind: 'paused' }
  | { readonly kind: 'waiting'; readonly failures: number; readonly problem: ConnectionProblem }
  | { readonly kind: 'connecting'; readonly failures: number }
  | { readonly kind: 'joining'; readonly failures: number }
  | { readonly kind: 'catchingUp'; readonly failures: number }
  | { readonly kind: 'live' }
  | { readonly kind: 'blocked'; readonly problem: ConnectionProblem }
  | { readonly kind: 'closed' };

export type ConnectionEvent =
  /** The program wants a connection, or wants it again after `blocked`. */
  | { readonly kind: 'resume' }
  /** The program wants none. */
  | { readonly kind: 'pause' }
  /** For good. */
  | { readonly kind: 'close' }
  /** The network may be back: no reason to wait any longer. */
  | { readonly kind: 'wake' }
  /** The wait is over. */
  | { readonly kind: 'timer' }
  | { readonly kind: 'opened' }
  /** The socket did not open or has closed, or an answer did not come. */
  | { readonly kind: 'failed'; readonly problem: ConnectionProblem }
  | { readonly kind: 'joined' }
  /** The server does not want this client. `retry`: it may in a while, after `retryAfterMs` at the earliest. */
  | {
      readonly kind: 'refused';
      readonly problem: ConnectionProblem;
      readonly retry: boolean;
      readonly retryAfterMs?: Millis;
    }
  /** The server goes away and says when to come back. */
  | { readonly kind: 'drained'; readonly reconnectAfterMs: Millis }
  /** Everything that was committed when it was asked for has arrived. */
  | { readonly kind: 'caughtUp' }
  /** More is to come: a reset or a new subscription. */
  | { readonly kind: 'behind' };

export type ConnectionEffect =
  /** Open a fresh socket. */
  | { readonly kind: 'open' }
  /** Close the socket, if there is one. */
  | { readonly kind: 'shut' }
  /** Introduce ourselves. */
  | { readonly kind: 'join' }
  | { readonly kind: 'wait'; readonly ms: Millis }
  | { readonly kind: 'stopWaiting' };

export interface Step {
  readonly state: ConnectionState;
  readonly effects: readonly ConnectionEffect[];
}

export interface TransitionContext {
  /** In [0, 1). */
  readonly random: number;
  readonly backoff: BackoffSettings;
}

type StateKind = ConnectionState['kind'];
type EventKind = ConnectionEvent['kind'];
type StateOf<K extends StateKind> = Extract<ConnectionState, { kind: K }>;
type EventOf<K extends EventKind> = Extract<ConnectionEvent, { kind: K }>;
type Cell<S extends StateKind, E extends EventKind> =
  | 'ignore'
  | ((state: StateOf<S>, event: EventOf<E>, context: TransitionContext) => Step);

/** Every state and every event: a cell that is forgotten does not compile. */
type Table = { readonly [S in StateKind]: { readonly [E in EventKind]: Cell<S, E> } };

const open: ConnectionEffect = { kind: 'open' };
const shut: ConnectionEffect = { kind: 'shut' };
const stopWaiting: ConnectionEffect = { kind: 'stopWaiting' };

const toPaused =
  (...effects: ConnectionEffect[]) =>
  (): Step => ({ state: { kind: 'paused' }, effects });
const toClosed =
  (...effects: ConnectionEffect[]) =>
  (): Step => ({ state: { kind: 'closed' }, effects });
const connect = (failures: number, ...effects: ConnectionEffect[]): Step => ({
  state: { kind: 'connecting', failures },
  effects: [...effects, open],
});

const failuresOf = (state: ConnectionState): number => ('failures' in state ? state.failures : 0);

function fail(state: ConnectionState, event: EventOf<'failed'>, context: TransitionContext): Step {
  const failures = failuresOf(state) + 1;
  return waitFor(backoffMs(failures, context.random, context.backoff), failures, event.problem);
}

function refuse(state: ConnectionState, event: EventOf<'refused'>, context: TransitionContext): Step {
  if (!event.retry) return { state: { kind: 'blocked', problem: event.problem }, effects: [shut] };
  const failures = failuresOf(state) + 1;
  const ms = Math.max(backoffMs(failures, context.random, context.backoff), event.retryAfterMs ?? 0);
  return waitFor(ms, failures, event.problem);
}

function drain(state: ConnectionState, event: EventOf<'drained'>, context: TransitionContext): Step {
  const problem = { code: 'unavailable', message: 'the server is going away' };
  return waitFor(spreadMs(event.reconnectAfterMs, context.random), failuresOf(state), problem);
}

function waitFor(ms: Millis, failures: number, problem: ConnectionProblem): Step {
  return { state: { kind: 'waiting', failures, problem }, effects: [shut, { kind: 'wait', ms }] };
}

/** What a socket that is open or opening may meet at any time. */
const withSocket = {
  resume: 'ignore',
  pause: toPaused(shut),
  close: toClosed(shut),
  wake: 'ignore',
  timer: 'ignore',
  failed: fail,
  refused: refuse,
  drained: drain,
} as const;

const deaf = {
  timer: 'ignore',
  opened: 'ignore',
  failed: 'ignore',
  joined: 'ignore',
  refused: 'ignore',
  drained: 'ignore',
  caughtUp: 'ignore',
  behind: 'ignore',
} as const;

const table: Table = {
  paused: { ...deaf, resume: () => connect(0), pause: 'ignore', close: toClosed(), wake: 'ignore' },
  waiting: {
    ...deaf,
    resume: 'ignore',
    pause: toPaused(stopWaiting),
    close: toClosed(stopWaiting),
    wake: (state) => connect(state.failures, stopWaiting),
    timer: (state) => connect(state.failures),
  },
  connecting: {
    ...withSocket,
    opened: (state) => ({ state: { kind: 'joining', failures: state.failures }, effects: [{ kind: 'join' }] }),
    joined: 'ignore',
    caughtUp: 'ignore',
    behind: 'ignore',
  },
  joining: {
    ...withSocket,
    opened: 'ignore',
    joined: (state) => ({ state: { kind: 'catchingUp', failures: state.failures }, effects: [] }),
    caughtUp: 'ignore',
    behind: 'ignore',
  },
  catchingUp: {
    ...withSocket,
    opened: 'ignore',
    joined: 'ignore',
    caughtUp: () => ({ state: { kind: 'live' }, effects: [] }),
    behind: 'ignore',
  },
  live: {
    ...withSocket,
    opened: 'ignore',
    joined: 'ignore',
    caughtUp: 'ignore',
    behind: () => ({ state: { kind: 'catchingUp', failures: 0 }, effects: [] }),
  },
  blocked: { ...deaf, resume: () => connect(0), pause: toPaused(), close: toClosed(), wake: 'ignore' },
  closed: { ...deaf, resume: 'ignore', pause: 'ignore', close: 'ignore', wake: 'ignore' },
};

/** The next state and what has to be done about it. Pure; an event that means nothing in a state leaves it as it is. */
export function transition(state: ConnectionState, event: ConnectionEvent, context: TransitionContext): Step {
  // The table's type proves that the cell fits; TypeScript cannot follow it through two unions.
  const cell = table[state.kind][event.kind] as Cell<StateKind, EventKind>;
  return cell === 'ignore' ? { state, effects: [] } : cell(state as never, event as never, context);
}
