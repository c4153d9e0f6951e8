import { describe, expect, it } from '@jest/globals';
import { createTopic } from './topic.ts';

const setup = () => {
  const errors: object[] = [];
  const topic = createTopic<number>('test', { warn: () => {}, error: (fields) => void errors.push(fields) });
  return { topic, errors };
};

describe('createTopic', () => {
  it('delivers in the next microtask, not before', async () => {
    const { topic } = setup();
    const seen: number[] = [];
    topic.subscribe((message) => seen.push(message));
    topic.publish(1);
    topic.publish(2);
    expect(seen).toEqual([]);
    await Promise.resolve();
    expect(seen).toEqual([1, 2]);
  });

  it('keeps nothing for those who come later', async () => {
    const { topic } = setup();
    const seen: number[] = [];
    topic.publish(1);
    topic.subscribe((message) => seen.push(message));
    await Promise.resolve();
    expect(seen).toEqual([]);
  });

  it('counts one function that listens twice as two', async () => {
    const { topic } = setup();
    const seen: number[] = [];
    const listen = (message: number) => void seen.push(message);
    const unsubscribe = topic.subscribe(listen);
    topic.subscribe(listen);
    topic.publish(1);
    await Promise.resolve();
    await unsubscribe();
    topic.publish(2);
    await Promise.resolve();
    expect(seen).toEqual([1, 1, 2]);
    expect(topic.size()).toBe(1);
  });

  it('logs a listener that throws, and calls the others', async () => {
    const { topic, errors } = setup();
    const seen: number[] = [];
    topic.subscribe(() => {
      throw new Error('broken');
    });
    topic.subscribe((message) => seen.push(message));
    topic.publish(1);
    await Promise.resolve();
    expect(seen).toEqual([1]);
    expect(errors).toMatchObject([{ topic: 'test', err: new Error('broken') }]);
  });

  it('drops what is pending when it is cleared', async () => {
    const { topic } = setup();
    const seen: number[] = [];
    topic.subscribe((message) => seen.push(message));
    topic.publish(1);
    topic.clear();
    await Promise.resolve();
    expect([seen, topic.size()]).toEqual([[], 0]);
  });
});
