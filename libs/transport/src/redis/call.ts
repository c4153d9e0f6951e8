import { SyncError } from '@tidemark/protocol';
import type { RedisClient } from './client-options.ts';

const retryAfterMs = 1_000;

/** Runs a call when the client is connected. Throws SyncError `unavailable`, or `overloaded` when Redis' memory is full. */
export async function callRedis<T>(client: RedisClient, timeoutMs: number, call: () => Promise<T>): Promise<T> {
  try {
    if (!isReady(client)) await untilReady(client, timeoutMs);
    return await within(timeoutMs, call());
  } catch (error) {
    throw translate(error);
  }
}

/** A cluster is usable from `connect` on. */
export function isReady(client: RedisClient): boolean {
  return client.status === 'ready' || (client.isCluster && client.status === 'connect');
}

function untilReady(client: RedisClient, timeoutMs: number): Promise<void> {
  if (client.status === 'end') return Promise.reject(new Error('the connection is closed'));
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => () => {
      clearTimeout(timer);
      client.off('ready', ready);
      client.off('end', ended);
      finish();
    };
    const ready = settle(resolve);
    const ended = settle(() => reject(new Error('the connection is closed')));
    const timer = setTimeout(
      settle(() => reject(new Error(`no connection within ${timeoutMs} ms`))),
      timeoutMs,
    );
    client.once('ready', ready);
    client.once('end', ended);
  });
}

/** Rejects after the time; what was asked may still happen. */
export async function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function translate(error: unknown): SyncError {
  if (SyncError.is(error)) return error;
  if (error instanceof Error && error.message.startsWith('OOM')) {
    return new SyncError('overloaded', 'The memory of Redis is full.', { retryAfterMs, cause: error });
  }
  return new SyncError('unavailable', 'Redis does not answer.', { retryAfterMs, cause: error });
}
