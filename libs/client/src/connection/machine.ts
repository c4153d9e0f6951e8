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
      readonly retryAfterMs?: Millis | undefined;
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
  /** Close the socket, if there is one, and stop to wait. */
  | { readonly kind: 'shut' }
  /** Introduce ourselves. */
  | { readonly kind: 'join' }
  | { readonly kind: 'wait'; readonly ms: Millis };

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
type Cell<S extends StateKind, E extends EventKind> = (
  state: StateOf<S>,
  event: EventOf<E>,
  context: TransitionContext,
) => Step;

/** A state and what it does on every event but those that mean nothing in it: a cell that is forgotten does not compile. */
type Row<S extends StateKind, Ignored extends EventKind> = {
  readonly [E in Exclude<EventKind, Ignored>]: Cell<S, E>;
};
/** What comes from a socket. */
type FromSocket = 'opened' | 'failed' | 'joined' | 'refused' | 'drained' | 'caughtUp' | 'behind';

interface Table {
  readonly paused: Row<'paused', FromSocket | 'timer' | 'pause' | 'wake'>;
  readonly waiting: Row<'waiting', FromSocket | 'resume'>;
  readonly connecting: Row<'connecting', 'resume' | 'wake' | 'timer' | 'joined' | 'caughtUp' | 'behind'>;
  readonly joining: Row<'joining', 'resume' | 'wake' | 'timer' | 'opened' | 'caughtUp' | 'behind'>;
  readonly catchingUp: Row<'catchingUp', 'resume' | 'wake' | 'timer' | 'opened' | 'joined' | 'behind'>;
  readonly live: Row<'live', 'resume' | 'wake' | 'timer' | 'opened' | 'joined' | 'caughtUp'>;
  readonly blocked: Row<'blocked', FromSocket | 'timer' | 'wake'>;
  readonly closed: Row<'closed', EventKind>;
}

const open: ConnectionEffect = { kind: 'open' };
const shut: ConnectionEffect = { kind: 'shut' };

const to = (state: ConnectionState, ...effects: ConnectionEffect[]): Step => ({ state, effects });
const connect = (failures: number, ...effects: ConnectionEffect[]): Step =>
  to({ kind: 'connecting', failures }, ...effects, open);
/** What the program may want of a state with a connection or a wait, and how that ends. */
const endedBy = (...effects: ConnectionEffect[]) => ({
  pause: (): Step => to({ kind: 'paused' }, ...effects),
  close: (): Step => to({ kind: 'closed' }, ...effects),
});

const failuresOf = (state: ConnectionState): number => ('failures' in state ? state.failures : 0);

function fail(state: ConnectionState, event: EventOf<'failed'>, context: TransitionContext): Step {
  return refuse(state, { ...event, kind: 'refused', retry: true }, context);
}

function refuse(state: ConnectionState, event: EventOf<'refused'>, context: TransitionContext): Step {
  if (!event.retry) return to({ kind: 'blocked', problem: event.problem }, shut);
  const failures = failuresOf(state) + 1;
  const ms = Math.max(backoffMs(failures, context.random, context.backoff), event.retryAfterMs ?? 0);
  return waitFor(ms, failures, event.problem);
}

function drain(state: ConnectionState, event: EventOf<'drained'>, context: TransitionContext): Step {
  const problem = { code: 'unavailable', message: 'the server is going away' };
  return waitFor(spreadMs(event.reconnectAfterMs, context.random), failuresOf(state), problem);
}

function waitFor(ms: Millis, failures: number, problem: ConnectionProblem): Step {
  return to({ kind: 'waiting', failures, problem }, shut, { kind: 'wait', ms });
}

/** What a socket that is open or opening may meet at any time. */
const withSocket = {
  ...endedBy(shut),
  failed: fail,
  refused: refuse,
  drained: drain,
};

const table: Table = {
  paused: { resume: () => connect(0), close: endedBy().close },
  waiting: {
    ...endedBy(shut),
    wake: ({ failures }) => connect(failures, shut),
    timer: ({ failures }) => connect(failures),
  },
  connecting: {
    ...withSocket,
    opened: ({ failures }) => to({ kind: 'joining', failures }, { kind: 'join' }),
  },
  joining: {
    ...withSocket,
    joined: ({ failures }) => to({ kind: 'catchingUp', failures }),
  },
  catchingUp: { ...withSocket, caughtUp: () => to({ kind: 'live' }) },
  live: { ...withSocket, behind: () => to({ kind: 'catchingUp', failures: 0 }) },
  blocked: { resume: () => connect(0), ...endedBy() },
  closed: {},
};

/** The next state and what has to be done about it. Pure; an event that means nothing in a state leaves it as it is. */
export function transition(state: ConnectionState, event: ConnectionEvent, context: TransitionContext): Step {
  // The table's type proves that the cell fits; TypeScript cannot follow it through two unions.
  const row = table[state.kind] as { readonly [E in EventKind]?: Cell<StateKind, E> };
  const cell = row[event.kind] as Cell<StateKind, EventKind> | undefined;
  return cell?.(state, event, context) ?? to(state);
}
