import { expect, it } from '@jest/globals';
import { Sequence } from './sequence.ts';

const turn = () => new Promise(setImmediate);

it('runs one after the other, also after one that failed, and knows when all is done', async () => {
  const sequence = new Sequence();
  const steps: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) =>
    sequence.run(async () => {
      steps.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      if (name === 'b') throw new Error(name);
      return name;
    });
  expect(sequence.settling).toBeUndefined();
  const [a, b, c] = [work('a'), work('b'), work('c')];
  const failure = expect(b).rejects.toThrow('b');
  expect(steps).toEqual(['a']);
  ends.get('a')?.();
  expect(await a).toBe('a');
  await turn();
  ends.get('b')?.();
  await failure;
  await turn();
  expect(steps).toEqual(['a', 'b', 'c']);
  ends.get('c')?.();
  expect(await c).toBe('c');
  await sequence.settling;
  expect(sequence.settling).toBeUndefined();
});
