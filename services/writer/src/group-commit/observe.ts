import type { Outcome } from '@tidemark/protocol';
import { StoreError } from '@tidemark/storage';
import type { Telemetry } from '@tidemark/telemetry';
import type { Delivery } from '@tidemark/transport';
import type { PendingJob } from './pending-job.ts';
import type { DecisionFault } from './plan-units.ts';
import type { Item, Unit } from './unit.ts';

export function countJob({ metrics }: Telemetry, job: PendingJob, delivery: Delivery): void {
  if (delivery.attempt > 1) metrics.jobs.redelivered.inc();
  metrics.jobChanges.observe(job.changes);
}

export function countOutcomes({ metrics }: Telemetry, outcomes: readonly Outcome[]): void {
  for (const outcome of outcomes) {
    metrics.changes[outcome.kind].inc();
    if (outcome.kind === 'rejected') metrics.rejections(outcome.code).inc();
  }
}

/** Names the changes for an operator; what they hold is nobody's business. */
export function logPoison({ logger, metrics }: Telemetry, units: readonly Unit[], error: unknown): void {
  for (const unit of units) {
    metrics.poisoned.inc(unit.items.length);
    const fields = { ...errorFields(error), atomic: unit.request.atomic, changes: unit.items.map(nameOf) };
    logger.error(fields, 'the store refuses a change; it was rejected alone');
  }
}

export function logFaults({ logger }: Telemetry, faults: readonly DecisionFault[]): void {
  for (const { item, error } of faults) {
    logger.error({ err: error, change: nameOf(item) }, 'a change could not be decided; it was rejected alone');
  }
}

function nameOf({ change, ref }: Item) {
  return { author: ref.author, id: change.id, collection: change.collection, documentId: change.documentId };
}

/** Of the store's own errors only the kind: a driver quotes the values that it refuses. Anything else is a bug to be found. */
function errorFields(error: unknown): object {
  return StoreError.is(error) ? { kind: error.kind } : { err: error };
}
