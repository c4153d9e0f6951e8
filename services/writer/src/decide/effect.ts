import type { Change, Document, FieldVersions, Json, JsonObject, Operation, Version } from '@tidemark/protocol';
import { mergeFields, wins } from '@tidemark/protocol';
import type { StoredState } from '@tidemark/storage';
import type { Attempt } from './decision.ts';
import type { Images } from './write-rules.ts';

/** What a change does to its document, or would have done if it had won. */
export interface Effect extends Images {
  readonly wins: boolean;
  readonly operation: Operation;
  /** The document's version after it. */
  readonly timestamp: number;
  /** Updates only: the fields that take effect. */
  readonly data?: JsonObject;
  readonly unset?: readonly string[];
  /** Only where fields have versions of their own. */
  readonly fieldVersions?: FieldVersions;
}

/** An attempt with the two versions that compete. */
export interface Contest {
  readonly attempt: Attempt;
  readonly incoming: Version;
  readonly stored: Version | undefined;
}

/**
 * Where the versions of a document's fields hold the version of all fields that have none of their own: what the whole
 * document was when it began to be merged by field, or the delete that it came after. No user's field has this name.
 */
export const baseField = '_sync_base';

export function deleteEffect(contest: Contest): Effect {
  const { incoming, stored } = contest;
  return {
    wins: wins(incoming, stored),
    operation: 'delete',
    before: documentOf(contest.attempt.stored),
    after: null,
    timestamp: incoming.timestamp,
  };
}

/** Merge by document: the whole of it wins or loses. */
export function documentEffect(contest: Contest): Effect {
  const { attempt, incoming, stored } = contest;
  const { change } = attempt;
  const before = documentOf(attempt.stored);
  const won = wins(incoming, stored);
  const { timestamp } = incoming;
  if (before === null || change.operation === 'insert') {
    const after = image({ _id: change.documentId, ...change.data }, attempt, timestamp);
    return { wins: won, operation: 'insert', before, after, timestamp };
  }
  const after = image(without({ ...before, ...change.data }, change.unset), attempt, timestamp);
  return { wins: won, operation: 'update', before, after, timestamp, data: change.data, unset: change.unset };
}

/**
 * Merge by field: every field wins or loses by itself, and an insert is a write of every field that it gives.
 * The document's version is the latest of its fields'. Creation, also over a tombstone, is decided by the document's version.
 */
export function fieldEffect(contest: Contest): Effect {
  const { attempt, incoming, stored } = contest;
  const { change } = attempt;
  const before = documentOf(attempt.stored);
  const versions = fieldVersionsOf(attempt.stored, stored);
  const write = { version: incoming, data: change.data, unset: change.unset };
  const merge = mergeFields(write, versions, versions[baseField]);
  const won = before === null ? wins(incoming, stored) : merge !== undefined;
  const { data, unset } = won && merge !== undefined ? merge : change;
  const fieldVersions = merge?.versions ?? versions;
  if (before === null) {
    const after = image({ _id: change.documentId, ...data }, attempt, incoming.timestamp);
    return { wins: won, operation: 'insert', before, after, timestamp: incoming.timestamp, fieldVersions };
  }
  const timestamp = stored === undefined ? incoming.timestamp : Math.max(stored.timestamp, incoming.timestamp);
  const after = image(without({ ...before, ...data }, unset), attempt, timestamp);
  return { wins: won, operation: 'update', before, after, timestamp, data, unset, fieldVersions };
}

function documentOf(stored: StoredState | undefined): Document | null {
  return stored?.kind === 'document' ? stored.document : null;
}

function fieldVersionsOf(stored: StoredState | undefined, version: Version | undefined): FieldVersions {
  if (stored?.kind === 'document' && stored.fieldVersions !== undefined) return stored.fieldVersions;
  return version === undefined ? {} : { [baseField]: version };
}

function without(fields: Record<string, Json>, names: readonly string[]): Record<string, Json> {
  for (const name of names) delete fields[name];
  return fields;
}

/** `_updated_by` is whoever wrote last, as a client concludes it from the entry. Takes over `fields`. */
function image(fields: Record<string, Json>, attempt: Attempt, timestamp: number): Document {
  fields.sync_updated_at = timestamp;
  fields._updated_by = attempt.request.author.userId;
  fields.sync_version = attempt.seq;
  return fields as Document;
}

/** Which unit of the document the change competes for. */
export function effectOf(change: Change, contest: Contest, merge: 'document' | 'field'): Effect {
  if (change.operation === 'delete') return deleteEffect(contest);
  return merge === 'field' ? fieldEffect(contest) : documentEffect(contest);
}
