import type { AnyBulkWriteOperation, AnyClientBulkWriteModel, ClientSession, Document } from 'mongodb';
import type { Database } from './database.ts';
import { LostRace, translateOwnWrite, translateUserWrite } from './translate-error.ts';
import type { CollectionWrites, Operation } from './write-plan.ts';

/** Sends writes within the session's transaction. */
export type SendWrites = (
  database: Database,
  session: ClientSession,
  collections: readonly CollectionWrites[],
) => Promise<void>;

/** With one command per collection and kind, as every version knows them. Throws LostRace, and StoreErrors that say whose fault it is. */
export const sendEach: SendWrites = async ({ db }, session, collections) => {
  for (const { name, isOurs, operations, affects } of collections) {
    try {
      const result = await db
        .collection(name)
        .bulkWrite(operations as AnyBulkWriteOperation[], { session, ordered: false });
      const affected = result.matchedCount + result.deletedCount;
      if (affects !== undefined && affected !== affects * operations.length) throw lostRace(name);
    } catch (error) {
      throw isOurs ? translateOwnWrite(error) : translateUserWrite(error, name);
    }
  }
};

/** With one command for all, which MongoDB knows since 8.0. Throws LostRace, and what the driver throws: whoever wants to know more sends each. */
export const sendAtOnce: SendWrites = async ({ client, db }, session, collections) => {
  const models: AnyClientBulkWriteModel<Document>[] = [];
  const expected = new Map<number, CollectionWrites>();
  for (const writes of collections) {
    const namespace = `${db.databaseName}.${writes.name}`;
    for (const operation of writes.operations) {
      if (writes.affects !== undefined) expected.set(models.length, writes);
      models.push(modelOf(operation, namespace));
    }
  }
  const { updateResults, deleteResults } = await client.bulkWrite(models, { session, verboseResults: true });
  for (const [index, { name, affects }] of expected) {
    const affected = updateResults?.get(index)?.matchedCount ?? deleteResults?.get(index)?.deletedCount;
    if (affected !== affects) throw lostRace(name);
  }
};

function modelOf(operation: Operation, namespace: string): AnyClientBulkWriteModel<Document> {
  const [[name, model] = []] = Object.entries(operation);
  return { name, namespace, ...model } as AnyClientBulkWriteModel<Document>;
}

function lostRace(name: string): LostRace {
  return new LostRace(`${name} is not as it was taken to be`, { collision: false });
}
