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
  for (const { name, isOurs, operations, mustMatch } of collections) {
    try {
      const result = await db
        .collection(name)
        .bulkWrite(operations as AnyBulkWriteOperation[], { session, ordered: false });
      if (mustMatch && result.matchedCount !== operations.length) throw lostLane();
    } catch (error) {
      throw isOurs ? translateOwnWrite(error) : translateUserWrite(error, name);
    }
  }
};

/** With one command for all, which MongoDB knows since 8.0. Throws LostRace, and what the driver throws: whoever wants to know more sends each. */
export const sendAtOnce: SendWrites = async ({ client, db }, session, collections) => {
  const models: AnyClientBulkWriteModel<Document>[] = [];
  const mustMatch: number[] = [];
  for (const writes of collections) {
    const namespace = `${db.databaseName}.${writes.name}`;
    for (const operation of writes.operations) {
      if (writes.mustMatch) mustMatch.push(models.length);
      models.push(modelOf(operation, namespace));
    }
  }
  const { updateResults } = await client.bulkWrite(models, { session, verboseResults: true });
  if (mustMatch.some((index) => updateResults?.get(index)?.matchedCount !== 1)) throw lostLane();
};

function modelOf(operation: Operation, namespace: string): AnyClientBulkWriteModel<Document> {
  const [[name, model] = []] = Object.entries(operation);
  return { name, namespace, ...model } as AnyClientBulkWriteModel<Document>;
}

function lostLane(): LostRace {
  return new LostRace('a lane has been advanced by another writer', { collision: false });
}
