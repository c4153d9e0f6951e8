import { expect, it } from '@jest/globals';
import { brandAs, type ChangeId, type Document, type Outcome } from '@tidemark/protocol';
import { boundCurrents } from './reply-size.ts';

const small: Document = { _id: 'small', text: 'x' };
const large: Document = { _id: 'large', text: 'x'.repeat(14 * 1024 * 1024) };

function superseded(current: Document | null | undefined): Outcome {
  return { kind: 'superseded', changeId: brandAs<ChangeId>('c'), timestamp: 1, current };
}

const idsOf = (outcomes: readonly (readonly Outcome[])[]) =>
  outcomes.map((ofRequest) => ofRequest.map((outcome) => 'current' in outcome && outcome.current?._id));

it('tells every document while they are small', () => {
  const outcomes = [Array.from({ length: 1_000 }, () => superseded(small)), [superseded(null), superseded(undefined)]];
  expect(boundCurrents(outcomes)).toEqual(outcomes);
});

it('tells one large document, and the small ones still', () => {
  const outcomes = [
    [superseded(small), superseded(large), superseded(large)],
    [superseded(large), superseded(small)],
  ];
  const bounded = boundCurrents(outcomes);
  expect(idsOf(bounded)).toEqual([
    ['small', 'large', undefined],
    [undefined, 'small'],
  ]);
  expect(bounded.flat().map(({ kind }) => kind)).toEqual(Array(5).fill('superseded'));
});
