import type { Outcome, WriteRequest } from '@tidemark/protocol';
import type { CommitPlan, Snapshot } from '@tidemark/storage';
import { currentFor, type DecideContext, decideChange } from '../decide/index.ts';
import { Draft, type FirstOutcome, viewOf } from './draft.ts';
import type { Item, Unit } from './unit.ts';

/** A change that could not be decided: a fault of ours. */
export interface DecisionFault {
  readonly item: Item;
  readonly error: unknown;
}

export interface Planned {
  /** `outcomes[i]` answers the items of `units[i]`. */
  readonly outcomes: readonly (readonly Outcome[])[];
  readonly faults: readonly DecisionFault[];
}

interface Planning {
  readonly context: DecideContext;
  readonly faults: DecisionFault[];
}

/** Decides the units in order; every change sees what those before it have done. Pure. */
export function planUnits(
  units: readonly Unit[],
  snapshot: Snapshot,
  context: DecideContext,
): { plan: CommitPlan; result: Planned } {
  const draft = new Draft(viewOf(snapshot));
  const planning: Planning = { context, faults: [] };
  const outcomes = units.map((unit) =>
    unit.request.atomic
      ? decideAtomic(unit, draft, planning)
      : unit.items.map((item) => decideItem(item, unit.request, { draft, planning })),
  );
  return { plan: draft.plan(), result: { outcomes, faults: planning.faults } };
}

/**
 * All or nothing: the first member that is superseded or rejected keeps its own outcome and ends the batch. A member that
 * was committed before, and a superseded one that comes again, is answered as the first time; the latter ends the batch too.
 */
function decideAtomic(unit: Unit, draft: Draft, planning: Planning): Outcome[] {
  const trial = new Draft(draft);
  const outcomes: Outcome[] = [];
  for (const item of unit.items) {
    const outcome = decideItem(item, unit.request, { draft: trial, planning });
    outcomes.push(outcome);
    if (!isSuccess(outcome)) return abort(unit, draft, { planning, failed: outcomes.length - 1, outcome });
  }
  draft.absorb(trial);
  return outcomes;
}

function isSuccess(outcome: Outcome): boolean {
  return outcome.kind === 'applied' || (outcome.kind === 'duplicate' && outcome.first === 'applied');
}

interface Abort {
  readonly planning: Planning;
  readonly failed: number;
  readonly outcome: Outcome;
}

function abort(unit: Unit, draft: Draft, { planning, failed, outcome }: Abort): Outcome[] {
  const { now } = planning.context;
  return unit.items.map((item, index) => {
    if (index === failed) return asOfDraft(outcome, item, { unit, draft, planning });
    const first = draft.first(item);
    if (first?.kind === 'applied') return duplicateOfApplied(item, first);
    return {
      kind: 'rejected',
      changeId: item.change.id,
      timestamp: now,
      code: 'atomic_aborted',
      error: 'another change of the atomic batch did not succeed',
    };
  });
}

interface Aborted {
  readonly unit: Unit;
  readonly draft: Draft;
  readonly planning: Planning;
}

/** What the author is shown must be what stays: without the members that were decided before the batch ended. */
function asOfDraft(outcome: Outcome, item: Item, { unit, draft, planning }: Aborted): Outcome {
  if (outcome.kind !== 'superseded' && outcome.kind !== 'duplicate') return outcome;
  const { author } = unit.request;
  return { ...outcome, current: currentFor(author, item.change, draft.state(item), planning.context.rules) };
}

const internalFault = { code: 'internal', error: 'a fault of the server; nothing was written' } as const;

interface Deciding {
  readonly draft: Draft;
  readonly planning: Planning;
}

function decideItem(item: Item, request: WriteRequest, { draft, planning }: Deciding): Outcome {
  const { context } = planning;
  try {
    const first = draft.first(item);
    if (first !== undefined) return duplicate(item, request, { first, draft, context });
    return decideNew(item, request, { draft, context });
  } catch (error) {
    planning.faults.push({ item, error });
    return { kind: 'rejected', changeId: item.change.id, timestamp: context.now, ...internalFault };
  }
}

interface Ground {
  readonly draft: Draft;
  readonly context: DecideContext;
}

function decideNew(item: Item, request: WriteRequest, { draft, context }: Ground): Outcome {
  const { change, lane } = item;
  const stored = draft.state(item);
  const decision = decideChange({ request, change, lane, seq: draft.nextSeq(lane), stored }, context);
  const changeId = change.id;
  if (decision.kind === 'applied') {
    draft.apply(item, decision);
    const { timestamp, seq } = decision.entry;
    return { kind: 'applied', changeId, timestamp, lane, seq };
  }
  const timestamp = context.now;
  if (decision.kind === 'rejected') return { ...decision, changeId, timestamp };
  draft.supersede(item, timestamp);
  return { kind: 'superseded', changeId, timestamp, current: decision.current };
}

function duplicate(item: Item, request: WriteRequest, again: Ground & { readonly first: FirstOutcome }): Outcome {
  const { first, draft, context } = again;
  if (first.kind === 'applied') return duplicateOfApplied(item, first);
  const current = currentFor(request.author, item.change, draft.state(item), context.rules);
  return { kind: 'duplicate', changeId: item.change.id, timestamp: first.timestamp, first: 'superseded', current };
}

function duplicateOfApplied(item: Item, first: Extract<FirstOutcome, { kind: 'applied' }>): Outcome {
  const { timestamp, lane, seq } = first;
  return { kind: 'duplicate', changeId: item.change.id, timestamp, first: 'applied', lane, seq };
}
