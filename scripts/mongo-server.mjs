#!/usr/bin/env node
/**
 * Starts a MongoDB-compatible server and keeps it until it gets SIGTERM or SIGINT. Prints one line, `MONGODB_URI=…`, when
 * it answers; what was found goes to standard error. Needs `npm run build`.
 *
 *   node scripts/mongo-server.mjs [--port 27017] [--data ./data/mongo]
 *
 * Looks for a server as `startMongo` does: MONGODB_URI, TIDEMARK_MONGO_BIN, the PATH, Docker, PyPI.
 */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startMongo } from '../libs/storage/dist/mongo/testing/index.js';

const { values } = parseArgs({ options: { port: { type: 'string' }, data: { type: 'string' } } });
let server;
// Also while it starts: what was started ends with this process.
const stop = async () => {
  await server?.stop();
  process.exit(0);
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
if (values.data) await mkdir(values.data, { recursive: true });
try {
  server = await startMongo({
    ...(values.port && { port: Number(values.port) }),
    ...(values.data && { directory: values.data }),
    cacheDirectory: fileURLToPath(new URL('../.cache', import.meta.url)),
  });
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
console.error(`using ${server.description}`);
console.log(`MONGODB_URI=${server.uri}`);
// Keeps the process alive for a server that is not its child.
setInterval(() => undefined, 60_000);
