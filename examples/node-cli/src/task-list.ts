import type { Client, CompensatedWrite, Placed, QueryDiff, Replaced } from '@tidemark/client';

const help = `  list                 all tasks
  add <title>          a new task
  toggle <number|id>   done or not
  delete <number|id>
  offline | online     cut the connection, and restore it
  status               connection and what waits
  quit`;

type Task = Awaited<ReturnType<ReturnType<typeof tasksOf>['get']>> & object;

const tasksOf = (client: Client) => client.collection('tasks');

/** The commands of the terminal client, and what others do meanwhile. */
export class TaskList {
  readonly #client: Client;
  readonly #print: (line: string) => void;
  readonly #commands: Readonly<Record<string, (argument: string) => Promise<void> | void>> = {
    list: () => this.#list(),
    add: (title) => this.#add(title),
    toggle: (which) => this.#toggle(which),
    delete: (which) => this.#delete(which),
    offline: () => this.#client.pause(),
    online: () => this.#client.resume(),
    status: () => this.#status(),
    help: () => this.#print(help),
  };
  #shown: readonly Task[] = [];
  #connection = '';

  constructor(client: Client, print: (line: string) => void) {
    this.#client = client;
    this.#print = print;
  }

  /** Opens the store, shows what it holds, and starts to follow the server. */
  async start(): Promise<void> {
    this.#client.on('compensated', (write) => this.#compensated(write));
    this.#client.on('reset', ({ reason }) =>
      this.#print(`! the server starts over (${reason}); nothing of yours is lost`),
    );
    this.#client.on('problem', ({ code, message }) => this.#print(`! ${code}: ${message}`));
    this.#client.on('status', ({ connection }) => this.#connectionChanged(connection));
    const subscription = await this.#client.subscribe('tasks');
    subscription.onState((state) => {
      if (state.kind === 'error') this.#print(`! the tasks cannot be had: ${state.message}`);
    });
    this.#query().observe(({ documents, diff }) => {
      this.#shown = documents;
      if (diff) this.#told(diff);
    });
    this.#list();
    this.#print(help);
  }

  /** Runs one line of input; what goes wrong is printed. */
  async run(line: string): Promise<void> {
    const [word = '', ...rest] = line.trim().split(/\s+/);
    if (word === '') return;
    if (!Object.hasOwn(this.#commands, word)) {
      this.#print(`there is no "${word}"\n${help}`);
      return;
    }
    try {
      await this.#commands[word]?.(rest.join(' '));
    } catch (error) {
      this.#print(`! ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #query() {
    return tasksOf(this.#client).query().sort('createdAt');
  }

  #list(): void {
    if (this.#shown.length === 0) this.#print('no tasks');
    for (const [index, task] of this.#shown.entries()) this.#print(`${String(index + 1).padStart(3)} ${textOf(task)}`);
  }

  async #add(title: string): Promise<void> {
    if (title === '') throw new Error('a task needs a title');
    await tasksOf(this.#client).insert({ title, done: false, createdAt: { $date: new Date().toISOString() } });
  }

  async #toggle(which: string): Promise<void> {
    const task = this.#find(which);
    await tasksOf(this.#client).update(task._id, { done: task.done !== true });
  }

  async #delete(which: string): Promise<void> {
    await tasksOf(this.#client).delete(this.#find(which)._id);
  }

  #find(which: string): Task {
    const task = this.#shown[Number(which) - 1] ?? this.#shown.find(({ _id }) => _id === which);
    if (!task) throw new Error(`there is no task ${JSON.stringify(which)}; "list" shows the numbers`);
    return task;
  }

  #status(): void {
    const { connection, pending, optimistic, lastSync, problem } = this.#client.status;
    this.#print(`${connection}, ${pending} to send, ${optimistic - pending} acknowledged but not back yet`);
    this.#print(`last sync: ${lastSync === undefined ? 'never' : new Date(lastSync).toISOString()}`);
    if (problem) this.#print(`${problem.code}: ${problem.message}`);
  }

  #connectionChanged(connection: string): void {
    if (connection !== this.#connection) this.#print(`* ${connection}`);
    this.#connection = connection;
  }

  /** Others' changes, and what the server has made of ours. */
  #told({ added, removed, changed }: QueryDiff): void {
    for (const { document } of added) this.#print(`+ ${textOf(document)}${authorOf(document)}`);
    for (const { document } of removed) this.#print(`- ${textOf(document)}`);
    for (const change of changed)
      if (differs(change)) this.#print(`~ ${textOf(change.document)}${authorOf(change.document)}`);
  }

  #compensated({ operation, error, current }: CompensatedWrite): void {
    const now = current ? `it is now: ${textOf(current)}` : 'it is gone';
    this.#print(`! your ${operation} was taken back (${error}); ${now}`);
  }
}

function textOf(task: Placed['document']): string {
  return `[${task.done === true ? 'x' : ' '}] ${String(task.title)}`;
}

function authorOf(task: Placed['document']): string {
  return task._updated_by === undefined ? '' : `   (${task._updated_by})`;
}

/** Not only who wrote it and when: that comes back with every write of our own. */
function differs({ document, previous }: Replaced): boolean {
  return textOf(document) !== textOf(previous);
}
