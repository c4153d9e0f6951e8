import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions {
  readonly within?: number;
  readonly what?: string | (() => string);
}

/** Asks again until the answer is neither false nor undefined; throws when that takes too long. For what gives no event to wait for. */
export async function waitUntil<T>(
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  { within = 10_000, what = 'the condition' }: WaitOptions = {},
): Promise<T> {
  const deadline = performance.now() + within;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline)
      throw new Error(`not within ${within} ms: ${typeof what === 'string' ? what : what()}`);
    await pause(10);
  }
}

/** Throws when the promise takes longer. */
export async function withinTime<T>(promise: Promise<T>, ms: number, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what()}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
