import { expect, it } from '@jest/globals';
import { eventually, feed, gateway, reply } from '../conformance/index.ts';
import type { FeedMessage } from '../port.ts';
import { createRedisBus } from './bus.ts';
import { connectRedis } from './connections.ts';
import { startRedisServer } from './testing/index.ts';

it('more entries than Redis keeps for a subscriber cost neither heads nor replies', async () => {
  await using server = await startRedisServer();
  const [left, right] = [connectRedis({ url: server.url }), connectRedis({ url: server.url })];
  const [writer, reader] = [createRedisBus(left), createRedisBus(right)];
  const heard: FeedMessage[] = [];
  const replies: string[] = [];
  await reader.subscribeFeed((message) => heard.push(message));
  await reader.subscribeReplies(gateway('g'), ({ job }) => replies.push(job));
  const messages = Array.from({ length: 40 }, (_, n) => feed(n + 1, { text: 'x'.repeat(1024 * 1024) }));
  await Promise.all([
    ...messages.map((message) => writer.publishFeed(message)),
    writer.publishReply(gateway('g'), reply('j')),
  ]);
  await eventually(() => replies.length > 0 && heard.length === messages.length);
  expect(heard.map(({ head }) => head)).toEqual(messages.map(({ head }) => head));
  // As many as there is room for, in order.
  const sent = heard.flatMap(({ entries }) => entries);
  expect(sent).toEqual(messages.slice(0, sent.length).flatMap(({ entries }) => entries));
  expect(sent.length).toBeGreaterThan(0);
  await writer.publishFeed(messages[0]!);
  await eventually(() => heard.length > messages.length);
  expect(heard.at(-1)).toEqual(messages[0]);
  for (const part of [writer, reader, left, right]) await part.close();
}, 30_000);
