/**
 * A consumer as a process of its own, for tests that kill it. Arguments: Redis URL, key prefix, `hold` to keep every job
 * without finishing it. Writes `ready`, then `<job> <attempt>` for every job it is handed, a line each.
 */
import { brandAs, type Lane } from '@tidemark/protocol';
import { connectRedis } from '../connections.ts';
import { createRedisQueue } from '../queue.ts';

const [url = '', keyPrefix = '', mode] = process.argv.slice(2);
const queue = createRedisQueue(connectRedis({ url, keyPrefix }));
await queue.consume(brandAs<Lane>(0), { concurrency: 4 }, async (job, { attempt }) => {
  process.stdout.write(`${job.id} ${attempt}\n`);
  if (mode === 'hold') await new Promise(() => {});
});
process.stdout.write('ready\n');
