import { setTimeout as pause } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import { changeOf, closeAll, connect, connectMany, join } from './clients.ts';
import { rate, round, spread } from './figures.ts';
import { LeanClient } from './lean-client.ts';
import type { ServerProcess } from './server-process.ts';

const rateMs = 5_000;

/** How a scenario talks to one of the two servers. */
export interface Dialect {
  readonly prepare: (socket: Socket, index: number) => Promise<void>;
  readonly change: (socket: Socket, id: string, fields?: object) => Promise<void>;
  readonly batch: (socket: Socket, ids: readonly string[]) => Promise<void>;
  /** Joins, and lets the client see changes of this `bucket`. */
  readonly watch: (client: LeanClient, watcher: Watcher) => Promise<void>;
}

interface Watcher {
  readonly index: number;
  readonly bucket: string;
  readonly onChange: (sentAt: number) => void;
}

const sentAtPattern = /"sentAt":([\d.]+)/g;

function eachSentAt(onChange: (sentAt: number) => void): (text: string) => void {
  return (text) => {
    for (const [, sentAt] of text.matchAll(sentAtPattern)) onChange(Number(sentAt));
  };
}

function assertAcked(ack: { success?: unknown }): void {
  if (ack.success !== true) throw new Error(`refused: ${JSON.stringify(ack).slice(0, 300)}`);
}

export const tidemark: Dialect = {
  prepare: (socket, index) => join(socket, index, 1),
  change: async (socket, id, fields) => assertAcked(await socket.emitWithAck('sync:change', changeOf(id, id, fields))),
  batch: async (socket, ids) => {
    const ack = await socket.emitWithAck('sync:changeBatch', { changes: ids.map((id) => changeOf(id, id)) });
    if (ack.successCount !== ids.length) throw new Error(`refused: ${JSON.stringify(ack).slice(0, 300)}`);
  },
  watch: async (client, { index, bucket, onChange }) => {
    client.on('sync:changes', eachSentAt(onChange));
    const isBootstrapped = new Promise<void>((resolve) => client.on('sync:bootstrap', () => resolve()));
    assertAcked(await client.call('sync:join', { userId: `user${index}`, protocol: 1 }));
    assertAcked(await client.call('sync:subscribe', { collection: 'bench', filter: 'bucket == $0', args: [bucket] }));
    await isBootstrapped;
  },
};

export const bare: Dialect = {
  prepare: async () => undefined,
  change: async (socket, id, fields: { bucket?: string } = {}) => {
    const { bucket } = fields;
    assertAcked(
      await socket.emitWithAck('change', {
        ...changeOf(id, id, fields),
        ...(bucket !== undefined && { room: bucket }),
      }),
    );
  },
  batch: async (socket, ids) =>
    assertAcked(
      await socket.emitWithAck(
        'batch',
        ids.map((id) => changeOf(id, id)),
      ),
    ),
  watch: async (client, { bucket, onChange }) => {
    client.on('changes', eachSentAt(onChange));
    await client.call('enter', bucket);
  },
};

/** Acked changes per second, one a message. */
export async function singles(server: ServerProcess, dialect: Dialect): Promise<number> {
  const sockets = await connectMany(server.urls, 50, dialect.prepare);
  const lanes = sockets.flatMap((socket, client) =>
    [0, 1, 2, 3].map((lane) => async (count: number) => {
      await dialect.change(socket, `s${client}-${lane}-${count}`);
      return 1;
    }),
  );
  const perSecond = await rate(lanes, rateMs);
  closeAll(sockets);
  return Math.round(perSecond);
}

/** Acked changes per second in batches of 50. */
export async function batches(server: ServerProcess, dialect: Dialect): Promise<number> {
  const sockets = await connectMany(server.urls, 10, dialect.prepare);
  const lanes = sockets.flatMap((socket, client) =>
    [0, 1].map((lane) => async (count: number) => {
      await dialect.batch(
        socket,
        Array.from({ length: 50 }, (_, index) => `b${client}-${lane}-${count}-${index}`),
      );
      return 50;
    }),
  );
  const perSecond = await rate(lanes, rateMs);
  closeAll(sockets);
  return Math.round(perSecond);
}

async function watchMany(
  server: ServerProcess,
  dialect: Dialect,
  watch: { count: number; bucketOf: (index: number) => string; onChange: (sentAt: number) => void },
): Promise<LeanClient[]> {
  const clients: LeanClient[] = [];
  for (let index = 0; index < watch.count; index++) {
    const client = await LeanClient.connect(server.urls[index % server.urls.length] ?? '');
    await dialect.watch(client, { index, bucket: watch.bucketOf(index), onChange: watch.onChange });
    clients.push(client);
  }
  return clients;
}

/** Writes of so many seconds, at the same rate, come before those that count: servers that have just started are still compiling. */
const warmSeconds = 12;

/** ms from write to the other client, at a fixed rate; `buckets` distinct filters among the subscribers. */
export async function latency(
  server: ServerProcess,
  dialect: Dialect,
  load: { subscribers: number; buckets: number; perSecond: number; seconds: number },
) {
  const seen: number[] = [];
  let countsFrom = Number.POSITIVE_INFINITY;
  let delivered = 0;
  const onChange = (sentAt: number) => {
    delivered += 1;
    if (sentAt >= countsFrom) seen.push(performance.timeOrigin + performance.now() - sentAt);
  };
  const watchers = await watchMany(server, dialect, {
    count: load.subscribers,
    bucketOf: (index) => `bucket${index % load.buckets}`,
    onChange,
  });
  const writer = await connect(server.url);
  await dialect.prepare(writer, 1_000_000);
  const warm = load.perSecond * warmSeconds;
  const total = warm + load.perSecond * load.seconds;
  const begun = performance.now();
  const acks: Promise<void>[] = [];
  for (let count = 0; count < total; count++) {
    const due = begun + (count * 1_000) / load.perSecond;
    if (due > performance.now()) await pause(due - performance.now());
    if (count === warm) countsFrom = performance.timeOrigin + performance.now();
    acks.push(
      dialect.change(writer, `l${load.buckets}-${count}`, {
        bucket: `bucket${count % load.buckets}`,
        sentAt: performance.timeOrigin + performance.now(),
      }),
    );
  }
  await Promise.all(acks);
  const expected = total * (load.subscribers / load.buckets);
  for (let turn = 0; delivered < expected && turn < 200; turn++) await pause(20);
  for (const client of watchers) client.close();
  closeAll([writer]);
  if (delivered < expected) throw new Error(`only ${delivered} of ${expected} deliveries`);
  return spread(seen);
}

/** Bytes of resident memory per idle subscribed connection. */
export async function memoryPerConnection(server: ServerProcess, dialect: Dialect): Promise<number> {
  const count = 2_000;
  const warm = await connectMany(server.urls, 200, dialect.prepare);
  const before = server.memory();
  const watchers = await watchMany(server, dialect, {
    count,
    bucketOf: (index) => `bucket${index}`,
    onChange: () => undefined,
  });
  const bytes = (server.memory() - before) / count;
  for (const client of watchers) client.close();
  closeAll(warm);
  await pause(500);
  return Math.round(bytes);
}

/** Many subscribed connections in one gateway: how fast they come, what they take, how long one change takes to reach all. */
export async function connections(server: ServerProcess, dialect: Dialect) {
  const count = 5_000;
  const seen: number[] = [];
  const onChange = (sentAt: number) => seen.push(performance.timeOrigin + performance.now() - sentAt);
  const before = server.memory();
  const begun = performance.now();
  const watchers = await watchMany(server, dialect, { count, bucketOf: () => 'everyone', onChange });
  const connectedPerSecond = Math.round((count * 1_000) / (performance.now() - begun));
  const megabytes = Math.round((server.memory() - before) / 1_048_576);
  const writer = await connect(server.url);
  await dialect.prepare(writer, 1_000_000);
  await dialect.change(writer, 'everyone', { bucket: 'everyone', sentAt: performance.timeOrigin + performance.now() });
  for (let turn = 0; seen.length < count && turn < 500; turn++) await pause(20);
  for (const client of watchers) client.close();
  closeAll([writer]);
  if (seen.length < count) throw new Error(`only ${seen.length} of ${count} deliveries`);
  return { count, connectedPerSecond, megabytes, msToReachAll: round(Math.max(...seen)) };
}

/** Server CPU per acked change in microseconds, while `subscriptions` subscriptions that cannot match are held. */
export async function cpuPerChange(server: ServerProcess, subscriptions: number): Promise<number> {
  const perSocket = Math.min(subscriptions, 500);
  const sockets = await connectMany(server.urls, Math.ceil(subscriptions / perSocket), async (socket, index) => {
    await tidemark.prepare(socket, index);
    const set = Array.from({ length: perSocket }, (_, n) => ({
      collection: 'bench',
      filter: 'bucket == $0',
      args: [`none${index}-${n}`],
      bootstrap: false,
    }));
    const ack = await socket.emitWithAck('sync:update_subscriptions', { subscriptions: set });
    if (ack.success !== true) throw new Error(`refused: ${JSON.stringify(ack).slice(0, 300)}`);
  });
  const writer = await connect(server.url);
  await tidemark.prepare(writer, 1_000_000);
  const turns = 300;
  const ids = (turn: string) => Array.from({ length: 50 }, (_, index) => `m${subscriptions}-${turn}-${index}`);
  for (let turn = 0; turn < 40; turn++) await tidemark.batch(writer, ids(`w${turn}`));
  const before = server.cpu();
  for (let turn = 0; turn < turns; turn++) await tidemark.batch(writer, ids(String(turn)));
  const used = server.cpu() - before;
  closeAll([...sockets, writer]);
  await pause(500);
  return round((used * 1_000) / (turns * 50), 1);
}

/** Deliveries per second to rooms of 25 readers. */
export async function deliveries(server: ServerProcess, dialect: Dialect): Promise<number> {
  let seen = 0;
  const rooms = 8;
  const onChange = () => {
    seen++;
  };
  const watchers = await watchMany(server, dialect, {
    count: rooms * 25,
    bucketOf: (index) => `room${index % rooms}`,
    onChange,
  });
  const writers = await connectMany(server.urls, rooms, (socket, index) => dialect.prepare(socket, 2_000_000 + index));
  const lanes = writers.flatMap((socket, room) =>
    [0, 1, 2, 3].map((lane) => async (count: number) => {
      await dialect.change(socket, `d${room}-${lane}-${count}`, { bucket: `room${room}` });
      return 1;
    }),
  );
  const begun = performance.now();
  await rate(lanes, rateMs);
  const perSecond = (seen * 1_000) / (performance.now() - begun);
  for (const client of watchers) client.close();
  closeAll(writers);
  return Math.round(perSecond);
}

const loadCount = 20_000;

/** Documents per second of a first load. */
export async function firstLoad(server: ServerProcess): Promise<number> {
  const writer = await connect(server.url);
  await join(writer, 1);
  for (let first = 0; first < loadCount; first += 100) {
    const changes = Array.from({ length: 100 }, (_, index) => ({
      ...changeOf(`f${first + index}`, `f${first + index}`),
      collection: 'load',
    }));
    const ack = await writer.emitWithAck('sync:changeBatch', { changes });
    if (ack.successCount !== 100) throw new Error('refused');
  }
  closeAll([writer]);
  return medianLoad(async () => {
    const socket = await connect(server.url);
    await join(socket, 2, 1);
    return {
      socket,
      event: 'sync:bootstrap',
      begin: () => void socket.emit('sync:subscribe', { collection: 'load', filter: '' }),
    };
  });
}

export function bareFirstLoad(server: ServerProcess): Promise<number> {
  return medianLoad(async () => {
    const socket = await connect(server.url);
    return { socket, event: 'page', begin: () => void socket.emit('load', loadCount) };
  });
}

async function medianLoad(
  prepare: () => Promise<{ socket: Socket; event: string; begin: () => void }>,
): Promise<number> {
  const rates: number[] = [];
  for (let turn = 0; turn < 5; turn++) {
    const { socket, event, begin } = await prepare();
    const begun = performance.now();
    let seen = 0;
    await new Promise<void>((resolve) => {
      socket.on(event, (page: { data: unknown[]; hasMore: boolean }) => {
        seen += page.data.length;
        if (!page.hasMore) resolve();
      });
      begin();
    });
    if (seen !== loadCount) throw new Error(`loaded ${seen} documents`);
    rates.push((seen * 1_000) / (performance.now() - begun));
    closeAll([socket]);
  }
  return Math.round(rates.sort((a, b) => a - b)[2] ?? Number.NaN);
}
