export { freePort } from './free-port.ts';
export { type MongoServer, type StartOptions, startMongo } from './start-mongo.ts';
