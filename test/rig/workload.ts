import { isDeepStrictEqual } from 'node:util';
import { type AckMessage, documentKey, type Entry } from '@tidemark/protocol';
import type { Ledger } from './ledger.ts';
import { RoamingClient } from './roaming-client.ts';
import { waitUntil } from './wait-until.ts';

export interface WorkloadOptions {
  readonly collection: string;
  /** Of the gateways. */
  readonly urls: () => readonly string[];
  readonly clients?: number;
  readonly documents?: number;
}

/** Longer than any recovery on a busy machine. */
const settlesWithin = 60_000;
/** Of each client, at once. */
const lines = 4;

/**
 * Clients spread over the gateways that write all the time and watch everything. What must hold at the end, whatever was
 * broken meanwhile, is checked by `faults`.
 */
export class Workload implements AsyncDisposable {
  readonly acks = new Map<string, AckMessage>();
  private readonly options: Required<WorkloadOptions>;
  private readonly clients: readonly RoamingClient[];
  private readonly writing: Promise<unknown>;
  private issued = 0;
  private stopped = false;

  private constructor(options: Required<WorkloadOptions>, clients: readonly RoamingClient[]) {
    this.options = options;
    this.clients = clients;
    this.writing = Promise.all(clients.flatMap((client) => Array.from({ length: lines }, () => this.write(client))));
  }

  static async start(given: WorkloadOptions): Promise<Workload> {
    const options = { clients: 4, documents: 12, ...given };
    const clients = await Promise.all(
      Array.from({ length: options.clients }, (_, n) => RoamingClient.start({ ...options, userId: `roamer-${n}` }, n)),
    );
    // From here on every client has to get every change.
    for (const client of clients) await client.mark();
    return new Workload(options, clients);
  }

  /** Resolves when so many more changes are decided. */
  async progress(count: number): Promise<void> {
    const target = this.acks.size + count;
    const what = () => `${target} changes are decided; there are ${this.acks.size} of ${this.issued}`;
    await waitUntil(() => this.acks.size >= target, { within: settlesWithin, what });
  }

  /** Ends the writing, waits until everything is decided and has arrived, and says what is wrong then. */
  async faults(ledger: Ledger): Promise<readonly string[]> {
    this.stopped = true;
    const what = () => `everything is decided: ${this.acks.size} of ${this.issued}`;
    await waitUntil(() => this.acks.size === this.issued, { within: settlesWithin, what });
    await this.writing;
    await Promise.all(this.clients.map((client) => client.mark()));
    const entries = await ledger.entries(this.options.collection);
    return [
      ...this.ackFaults(entries),
      ...storeFaults(entries, await ledger.documents(this.options.collection)),
      ...this.clients.flatMap((client) => this.clientFaults(client, entries)),
    ];
  }

  /** For the message of a test that fails. */
  get summary(): object {
    const outcomes: Record<string, number> = {};
    for (const { outcome } of this.acks.values()) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    return { issued: this.issued, outcomes, connections: this.clients.map(({ connections }) => connections) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopped = true;
    await Promise.all(this.clients.map((client) => client[Symbol.asyncDispose]()));
  }

  private async write(client: RoamingClient): Promise<void> {
    while (!this.stopped) {
      const n = this.issued++;
      const id = `${this.options.collection}-${n}`;
      this.acks.set(id, await client.write({ id, ...this.change(n) }));
    }
  }

  private change(n: number) {
    const { collection, documents } = this.options;
    const documentId = `d${Math.floor(Math.random() * documents)}`;
    const dice = Math.random();
    if (dice < 0.1) return { operation: 'delete', collection, documentId };
    if (dice < 0.4) return { operation: 'insert', collection, documentId, data: { n, by: 'insert' } };
    return { operation: 'update', collection, documentId, data: { n, [`f${n % 4}`]: n } };
  }

  /** No acked change lost, none applied twice. */
  private ackFaults(entries: readonly Entry[]): string[] {
    const byId = new Map<string, Entry[]>();
    for (const entry of entries) byId.set(entry.id, [...(byId.get(entry.id) ?? []), entry]);
    const faults: string[] = [];
    for (const [id, found] of byId) {
      if (found.length > 1) faults.push(`${id} was applied ${found.length} times`);
      if (!this.acks.has(id)) faults.push(`${id} is in the log and was never sent`);
    }
    for (const [id, ack] of this.acks) {
      const entry = byId.get(id)?.[0];
      if (ack.outcome === 'rejected') faults.push(`${id} was rejected: ${ack.code} ${ack.error}`);
      if (ack.success !== (entry !== undefined))
        faults.push(`${id} was acked as ${ack.outcome} and is ${entry ? '' : 'not '}in the log`);
      if (entry && (ack.lane !== entry.lane || ack.seq !== entry.seq))
        faults.push(`${id} was acked at ${ack.lane}/${ack.seq} and is at ${entry.lane}/${entry.seq}`);
    }
    return faults;
  }

  /** It holds what the store holds, and has been sent every change. */
  private clientFaults(client: RoamingClient, entries: readonly Entry[]): string[] {
    const { collection } = this.options;
    const faults: string[] = [];
    const held = new Map<string, object>(
      client.view.documents(collection).map((document) => [documentKey(document._id as string), document]),
    );
    const wanted = lastImages(entries);
    for (const key of new Set([...held.keys(), ...wanted.keys()])) {
      if (isDeepStrictEqual(plain(held.get(key)), plain(wanted.get(key)))) continue;
      faults.push(`${client.userId} holds ${JSON.stringify(held.get(key))} for ${JSON.stringify(wanted.get(key))}`);
    }
    // A delete of what is deleted already is seen by nobody.
    const visible = entries.filter(({ before, after }) => before !== null || after !== null);
    const missed = visible.filter(({ id }) => !client.delivered.has(id));
    if (missed.length > 0) faults.push(`${client.userId} was not sent ${missed.map(({ id }) => id).join(' ')}`);
    if (client.resets > 0) faults.push(`${client.userId} was reset`);
    return faults;
  }
}

/** The documents as the log says that they are, by key. */
function lastImages(entries: readonly Entry[]): ReadonlyMap<string, object> {
  const images = new Map<string, object>();
  for (const { key, after } of entries) {
    if (after === null) images.delete(key);
    else images.set(key, after);
  }
  return images;
}

function storeFaults(entries: readonly Entry[], documents: ReadonlyMap<string, object>): string[] {
  const wanted = lastImages(entries);
  return [...new Set([...documents.keys(), ...wanted.keys()])]
    .filter((key) => !isDeepStrictEqual(plain(documents.get(key)), plain(wanted.get(key))))
    .map((key) => `the store holds ${JSON.stringify(documents.get(key))} for ${JSON.stringify(wanted.get(key))}`);
}

/** Without prototypes, and without regard to the order of fields. */
function plain(value: object | undefined): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
