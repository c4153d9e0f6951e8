import { expect, it } from '@jest/globals';
import { oncePer } from './once-per.ts';

it('passes on one call per interval', () => {
  const passed: number[] = [];
  let time = 5;
  const call = oncePer<number>(
    100,
    (value) => passed.push(value),
    () => time,
  );
  for (const [at, value] of [
    [5, 1],
    [6, 2],
    [104, 3],
    [105, 4],
    [106, 5],
    [205, 6],
  ] as const) {
    time = at;
    call(value);
  }
  expect(passed).toEqual([1, 4, 6]);
});
