import type { Millis } from '@tidemark/protocol';
import { MongoServerError } from 'mongodb';
import type { TideStore } from '../port.ts';
import type { Database } from './database.ts';

export function createTides({ tides }: Database): TideStore {
  return {
    recordTide: async (time: Millis, token: string) => {
      try {
        await tides.insertOne({ _id: time, token });
        return true;
      } catch (error) {
        if (error instanceof MongoServerError && error.code === 11000) return false;
        throw error;
      }
    },
    findTide: async (time: Millis) => {
      const row = await tides.findOne({ _id: { $lte: time } }, { sort: { _id: -1 } });
      return row === null ? undefined : { time: row._id, token: row.token };
    },
  };
}
