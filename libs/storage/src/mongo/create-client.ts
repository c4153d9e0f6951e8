import os from 'node:os';
import { MongoClient, type MongoClientOptions } from 'mongodb';

/** The driver would load `os` by a dynamic import, which not every host of modules can do (Jest's cannot). */
export function createClient(uri: string, options: MongoClientOptions = {}): MongoClient {
  return new MongoClient(uri, { ...options, runtimeAdapters: { os } });
}
