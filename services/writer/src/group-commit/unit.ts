import { type Change, type Lane, laneOf, type WriteRequest } from '@tidemark/protocol';
import type { ChangeRef } from '@tidemark/storage';
import type { PendingJob } from './pending-job.ts';

/** A change with what a transaction needs to find it by. */
export interface Item {
  readonly change: Change;
  readonly lane: Lane;
  readonly ref: ChangeRef;
  /** Equal for equal documents, and for nothing else. */
  readonly documentKey: string;
  /** Equal for the same author and id, and for nothing else. */
  readonly changeKey: string;
}

/** Changes of one request that stand in order; those of an atomic request are never parted. */
export interface Unit {
  readonly job: PendingJob;
  readonly requestIndex: number;
  /** Where in the request its changes start. */
  readonly offset: number;
  readonly request: WriteRequest;
  readonly items: readonly Item[];
}

/** The job's requests, each change on the lane that the layout of `lanes` lanes gives it, whatever epoch the job was made in. */
export function unitsOf(job: PendingJob, lanes: number): Unit[] {
  return job.job.requests.map((request, requestIndex) => ({
    job,
    requestIndex,
    offset: 0,
    request,
    items: request.changes.map((change) => itemOf(change, request, lanes)),
  }));
}

function itemOf(change: Change, request: WriteRequest, lanes: number): Item {
  const author = request.author.userId;
  return {
    change,
    lane: laneOf(change.collection, change.key, lanes),
    ref: { author, id: change.id },
    documentKey: `${change.collection}\u0000${change.key}`,
    changeKey: `${author.length}:${author}${change.id}`,
  };
}

/** The unit in two, the first with `count` items; undefined when it cannot be parted there. */
export function cutUnit(unit: Unit, count: number): readonly [Unit, Unit] | undefined {
  if (unit.request.atomic || count < 1 || count >= unit.items.length) return undefined;
  return [
    { ...unit, items: unit.items.slice(0, count) },
    { ...unit, items: unit.items.slice(count), offset: unit.offset + count },
  ];
}

/** Two halves in order; one alone is cut by `cut`, and undefined when that cannot be. */
export function halve<T>(
  group: readonly T[],
  cut: (one: T) => readonly [T, T] | undefined,
): readonly [readonly T[], readonly T[]] | undefined {
  const middle = group.length >> 1;
  if (middle > 0) return [group.slice(0, middle), group.slice(middle)];
  const [only] = group;
  const halves = only === undefined ? undefined : cut(only);
  return halves && [[halves[0]], [halves[1]]];
}
