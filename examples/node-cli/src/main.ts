import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from '@tidemark/client';
import { LmdbStore } from '@tidemark/client/node';
import { TaskList } from './task-list.ts';

/** `npm run dev:client -- <user>`: a task list in the terminal that works offline. */
const [user] = process.argv.slice(2);
if (user === undefined || !/^[\w.@-]{1,64}$/.test(user)) {
  console.error('usage: npm run dev:client -- <user>     (letters, digits, . @ _ -)');
  process.exit(2);
}

const url = process.env.URL ?? 'http://localhost:3000';
const directory = join(process.env.CLIENT_DATA_DIR ?? '.run/client', user);
mkdirSync(directory, { recursive: true });

const token = process.env.TOKEN;
const client = createClient({
  url,
  auth: { userId: user, ...(token !== undefined && { token }) },
  store: new LmdbStore(directory),
});
try {
  await client.ready;
} catch (error) {
  // Another terminal of the same user has the folder, for example.
  console.error(String(error));
  process.exit(1);
}
const input = createInterface({ input: process.stdin, output: process.stdout, prompt: `${user}> ` });
const tasks = new TaskList(client, (line) => {
  // In a terminal a line goes over the prompt, and the prompt comes again below it.
  const clear = process.stdout.isTTY ? '\r\u001b[K' : '';
  process.stdout.write(`${clear}${line}\n`);
  if (process.stdout.isTTY) input.prompt(true);
});

console.log(`${url} as ${user}, kept in ${directory}`);
await tasks.start();
input.prompt();
for await (const line of input) {
  if (/^(quit|exit)$/.test(line.trim())) break;
  await tasks.run(line);
  input.prompt();
}
await client.close();
// An open pipe would keep the program alive.
process.stdin.destroy();
