import { expect, it } from '@jest/globals';
import type { Json } from '@tidemark/protocol';
import { approximateJsonBytes } from './approximate-json-bytes.ts';

const long = 'x'.repeat(1_000);

it.each<[string, Json]>([
  ['a text', long],
  ['the name of a field', { [long]: 1 }],
  ['many members', new Array<number>(200).fill(1)],
  ['many fields', Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`f${index}`, null]))],
  ['what lies deep', [{ a: [{ b: long }] }]],
])('%s counts', (_, value) => {
  expect(approximateJsonBytes(value)).toBeGreaterThanOrEqual(1_000);
});
