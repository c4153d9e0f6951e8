import { expect, it } from '@jest/globals';
import { errorCatalogue } from '@tidemark/protocol/core';
import { mayRetryLater } from './retry.ts';

it.each(Object.entries(errorCatalogue))('retries %s exactly when the catalogue says so', (code, { retry }) => {
  expect(mayRetryLater(code)).toBe(retry === 'later');
});

it('does not retry what it does not know', () => {
  expect(mayRetryLater('unheard_of')).toBe(false);
  expect(mayRetryLater(undefined)).toBe(false);
});
