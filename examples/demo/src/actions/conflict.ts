import type { DemoUser } from '../demo-user.ts';
import type { Task } from '../documents.ts';

/** Tells the spectators what is going on; undefined: it is over. */
export type Narrate = (text: string | undefined) => void;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Both rename one card, one of them offline and earlier: the later write stays, and the loser is told. Needs both online. */
export async function stageConflict(loser: DemoUser, winner: DemoUser, narrate: Narrate): Promise<void> {
  const absent = [loser, winner].find(({ client }) => !client.status.connected);
  if (absent) return narrate(`${absent.name} must be online to begin with.`);
  const [task] = await winner.client.collection<Task>('tasks').query().sort('createdAt').limit(1).find();
  if (!task) return narrate('There is no card to quarrel about: add one.');
  try {
    loser.client.pause();
    narrate(`${loser.name} is offline and renames a card…`);
    await pause(900);
    await loser.client.collection('tasks').update(task._id, { title: `${loser.name}’s title` });
    await pause(1_100);
    narrate(`${winner.name} renames the same card, later…`);
    const later = await winner.client.collection('tasks').update(task._id, { title: `${winner.name}’s title` });
    await later.settled();
    await pause(1_100);
    narrate(`${loser.name} comes back: the later write stays, and ${loser.name} is told why.`);
  } finally {
    loser.client.resume();
  }
  await loser.client.waitForSync({ timeoutMs: 10_000 }).catch(() => {});
  await pause(2_500);
  narrate(undefined);
}
