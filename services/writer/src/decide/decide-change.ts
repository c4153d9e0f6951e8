import type { Author, Change, CurrentDocument, Entry } from '@tidemark/protocol';
import type { StoredState } from '@tidemark/storage';
import type { AppliedDecision, Attempt, DecideContext, Decision } from './decision.ts';
import { exceedsBytes } from './document-size.ts';
import { type Effect, effectOf } from './effect.ts';
import { timestampOf, versionOf } from './version.ts';
import type { WriteRules } from './write-rules.ts';

/** Below MongoDB's 16 MiB, with room for what the server keeps beside the user's fields. */
export const maxDocumentBytes = 15 * 1024 * 1024;

/**
 * Decides one change on what is stored. Pure.
 *
 * What comes first:
 * 1. An update of a deleted document is superseded: there are no images that a rule could judge.
 * 2. Who may not make this change is `forbidden`, also where it would have lost, so that losing tells nothing about
 *    documents that are out of reach.
 * 3. What loses by last write wins, or was based on another version, is superseded.
 * 4. What would win but breaks the schema or is too large is rejected.
 */
export function decideChange(attempt: Attempt, context: DecideContext): Decision {
  const { change, stored } = attempt;
  const { author } = attempt.request;
  const { rules } = context;
  if (stored?.kind === 'tombstone' && change.operation === 'update') return { kind: 'superseded', current: null };
  const storedVersion = versionOf(stored);
  const incoming = { timestamp: timestampOf(change, storedVersion, context), author: author.userId };
  const contest = { attempt, incoming, stored: storedVersion };
  const effect = effectOf(change, contest, rules.settings(change.collection).merge);
  const wins = effect.wins && !isBasedOnAnother(attempt, context);
  const fault = rules.writeFault(change.collection, author, effect);
  if (fault !== undefined && (wins || fault.code === 'forbidden')) return { kind: 'rejected', ...fault };
  if (!wins) return { kind: 'superseded', current: currentFor(author, change, stored, rules) };
  if (effect.after !== null && exceedsBytes(effect.after, maxDocumentBytes)) {
    return { kind: 'rejected', code: 'too_large', error: `the document would exceed ${maxDocumentBytes} bytes` };
  }
  return applied(attempt, effect, context);
}

/** The document that an author is shown who lost: what is stored, as far as they may read it. */
export function currentFor(
  author: Author,
  change: Change,
  stored: StoredState | undefined,
  rules: WriteRules,
): CurrentDocument {
  if (stored?.kind !== 'document') return null;
  return rules.canRead(change.collection, author, stored.document) ? stored.document : undefined;
}

/** A document that was never written through Tidemark has no version, so an edit cannot have been based on one. */
function isBasedOnAnother({ change, stored }: Attempt, context: DecideContext): boolean {
  if (!context.optimisticLocking || change.version === undefined) return false;
  return change.version !== (stored?.kind === 'document' ? stored.document.sync_version : 0);
}

function applied(attempt: Attempt, effect: Effect, context: DecideContext): AppliedDecision {
  return { kind: 'applied', entry: entryOf(attempt, effect, context), state: stateAfter(attempt, effect, context) };
}

function entryOf(attempt: Attempt, effect: Effect, context: DecideContext): Entry {
  const { change, request, lane, seq } = attempt;
  return {
    epoch: context.epoch,
    lane,
    seq,
    author: request.author.userId,
    id: change.id,
    ...(request.origin !== undefined && { origin: request.origin }),
    operation: effect.operation,
    collection: change.collection,
    documentId: change.documentId,
    key: change.key,
    ...(effect.data !== undefined && { data: effect.data }),
    ...(effect.unset !== undefined && effect.unset.length > 0 && { unset: effect.unset }),
    before: effect.before,
    after: effect.after,
    timestamp: effect.timestamp,
    committedAt: context.now,
    ...(request.emitTo !== undefined && { emitTo: request.emitTo }),
  };
}

function stateAfter(attempt: Attempt, effect: Effect, context: DecideContext): StoredState {
  const { after, fieldVersions, timestamp } = effect;
  if (after === null) {
    const author = attempt.request.author.userId;
    return { kind: 'tombstone', timestamp, author, seq: attempt.seq, deletedAt: context.now };
  }
  return { kind: 'document', document: after, ...(fieldVersions !== undefined && { fieldVersions }) };
}
