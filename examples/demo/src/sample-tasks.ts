import type { Client } from '@tidemark/client';
import type { Column } from './documents.ts';

const samples: readonly (readonly [title: string, column: Column])[] = [
  ['Take the train into the tunnel and keep typing', 'todo'],
  ['Rename me in both panes while one is offline', 'todo'],
  ['Move me with the arrows', 'todo'],
  ['Watch the latency', 'doing'],
  ['Clone the repository', 'done'],
  ['make up', 'done'],
];

/** Fills an empty server once, so that there is something to see. A board that somebody has emptied stays empty. */
export async function addSampleTasks(client: Client): Promise<void> {
  const marks = await client.subscribe('demo');
  const tasks = await client.subscribe('tasks');
  await Promise.all([marks.ready(), tasks.ready()]);
  const hasTasks = (await client.collection('tasks').query().limit(1).find()).length > 0;
  if (hasTasks || (await client.collection('demo').get('sampled'))) return;
  await client.collection('demo').insert({ _id: 'sampled' });
  const now = Date.now();
  for (const [index, [title, column]] of samples.entries()) {
    await client.collection('tasks').insert({ _id: `sample-${index}`, title, column, createdAt: now + index });
  }
}
