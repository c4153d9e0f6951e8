import { randomUUID } from 'node:crypto';
import { type AckMessage, isObject, parseChange, SyncError, upMessages } from '@tidemark/protocol';
import type { Connection } from '../socket/connection.ts';
import { ackFailure } from './acks.ts';
import { type Door, type Reply, refusal } from './door.ts';
import { parseMessage } from './parse-message.ts';
import type { Writer, Writing } from './writing.ts';

/** The doors for changes, of every dialect. */
export function changeDoors(writing: Writing): Readonly<Record<string, Door>> {
  return {
    'sync:change': changeDoor(writing),
    'sync:changeBatch': changeBatchDoor(writing),
    'sync:batch_changes': batchChangesDoor(writing),
    mongoUpsert: mongoUpsertDoor(writing),
    mongoDelete: mongoDeleteDoor(writing),
  };
}

function writerOf(connection: Connection): Writer {
  return { session: connection.requireSession(), origin: connection.id };
}

function failuresOf(acks: readonly AckMessage[]): SyncError[] {
  return acks.flatMap((ack) => ackFailure(ack) ?? []);
}

function changeDoor(writing: Writing): Door {
  return {
    kind: 'joined',
    async handle(connection, payload) {
      const ack = await writing.one(writerOf(connection), payload);
      return ack.success ? { answer: ack } : { answer: ack, failures: failuresOf([ack]) };
    },
    refuse: (error, payload) => writing.refusedOne(error, payload),
  };
}

function changeBatchDoor(writing: Writing): Door {
  return {
    kind: 'joined',
    async handle(connection, payload) {
      const begun = performance.now();
      const { changes, atomic } = parseMessage(upMessages['sync:changeBatch'], payload);
      const acks = await writing.many(writerOf(connection), changes, {
        atomic: atomic === true,
        lenientOperation: true,
      });
      return { answer: writing.batchAck(acks, begun, atomic === true), failures: failuresOf(acks) };
    },
    reword: (error, payload) => withoutChanges(error, isObject(payload) && payload.changes),
    refuse: (error) => writing.refusedBatch(error),
  };
}

function batchChangesDoor(writing: Writing): Door {
  return {
    kind: 'joined',
    async handle(connection, payload) {
      const changes = parseMessage(upMessages['sync:batch_changes'], payload);
      const acks = await writing.many(writerOf(connection), changes, { atomic: false, lenientOperation: false });
      return { answer: acks, failures: failuresOf(acks) };
    },
    reword: withoutChanges,
    refuse: refusal,
  };
}

/** Old clients know this error by its words. */
function withoutChanges(error: SyncError, changes: unknown): SyncError {
  return error.code === 'invalid_message' && !Array.isArray(changes)
    ? new SyncError('invalid_message', 'No changes provided: a list is expected')
    : error;
}

/** Not part of a document in the oldest dialect. */
const controlFields = ['id', 'patchId', 'userId'];

function mongoUpsertDoor(writing: Writing): Door {
  return {
    kind: 'joined',
    async handle(connection, payload): Promise<Reply> {
      const { collection, update, query, patchId } = parseMessage(upMessages.mongoUpsert, payload);
      const data = Object.fromEntries(Object.entries(update).filter(([name]) => !controlFields.includes(name)));
      const id = patchId ?? (typeof update.patchId === 'string' && update.patchId !== '' ? update.patchId : undefined);
      const documentId = query?._id ?? update.id;
      const change = parseLegacy({ id, operation: 'update', collection, documentId, data });
      const ack = await writing.parsed(writerOf(connection), change);
      if (ack.success || ack.code === 'conflict') return { answer: 'ok' };
      return { answer: 'error', failures: failuresOf([ack]) };
    },
    refuse: () => 'error',
  };
}

function mongoDeleteDoor(writing: Writing): Door {
  return {
    kind: 'joined',
    async handle(connection, payload): Promise<Reply> {
      const { collection, query, patchId } = parseMessage(upMessages.mongoDelete, payload);
      const change = parseLegacy({ id: patchId ?? undefined, operation: 'delete', collection, documentId: query._id });
      const ack = await writing.parsed(writerOf(connection), change);
      if (ack.success) return { answer: { success: true } };
      const conflict = ack.code === 'conflict' ? { conflict: true } : {};
      return { answer: { success: false, error: ack.error, ...conflict }, failures: failuresOf([ack]) };
    },
    refuse: (error, payload) => (hasIds(payload) ? { success: false, error: error.message } : 'error'),
  };
}

function parseLegacy(change: Record<string, unknown>) {
  return parseChange(change, { newId: randomUUID, lenientOperation: false });
}

function hasIds(payload: unknown): boolean {
  if (!isObject(payload) || typeof payload.collection !== 'string' || payload.collection === '') return false;
  return (
    isObject(payload.query) && payload.query._id !== undefined && payload.query._id !== null && payload.query._id !== ''
  );
}
