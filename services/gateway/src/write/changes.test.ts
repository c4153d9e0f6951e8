import { expect, it } from '@jest/globals';
import { brandAs, type Epoch, type GatewayId, parseChange, type Seq, type UserId } from '@tidemark/protocol';
import { silentTelemetry } from '@tidemark/telemetry';
import type { JobQueue, WriteJob } from '@tidemark/transport';
import { createInProcessBus } from '@tidemark/transport/inprocess';
import { Changes } from './changes.ts';

const author = { userId: brandAs<UserId>('alice'), claims: {} };
const change = (id: string) =>
  parseChange(
    { id, operation: 'insert', collection: 'tasks', documentId: id, data: {} },
    { newId: () => id, lenientOperation: false },
  );

it('a stop fails what no writer has answered, in flight or waiting', async () => {
  const jobs: WriteJob[] = [];
  const queue = { enqueue: async (job: WriteJob) => void jobs.push(job) } as unknown as JobQueue;
  const changes = new Changes({
    queue,
    bus: createInProcessBus(),
    gateway: brandAs<GatewayId>('g'),
    epoch: { epoch: brandAs<Epoch>(1), lanes: 1, base: brandAs<Seq>(0) },
    telemetry: silentTelemetry(),
    settings: { maxJobChanges: 10, maxWaitingChanges: 10, jobTimeoutMs: 600_000 },
  });
  await changes.start();
  const submit = (id: string) => changes.submit({ author, origin: undefined, atomic: false, changes: [change(id)] });
  const inFlight = submit('a');
  while (jobs.length === 0) await new Promise(setImmediate);
  const waiting = submit('b');
  await changes.stop();
  expect(await Promise.all([inFlight, waiting])).toMatchObject([[{ code: 'unavailable' }], [{ code: 'unavailable' }]]);
  expect(changes.pending).toBe(0);
});
