import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { like } from '../test/naive-evaluator.ts';
import { compileLike } from './like.ts';

describe('compileLike', () => {
  it.each([
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'anything\nat all', true],
    ['**', 'x', true],
    ['?', '', false],
    ['?', '\n', true],
    ['?', '😀', true],
    ['??', '😀', false],
    ['a*', 'ba', false],
    ['*a', 'ab', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*a*a*', 'aba', true],
    ['*ab*ba*', 'aba', false],
    ['*a?c*', 'xxabcxx', true],
    ['a.c', 'abc', false],
    ['[a]', 'a', false],
    ['a\\*', 'a\\bc', true],
    ['%_', 'ab', false],
    ['?*?', 'a', false],
    ['?*?', 'ab', true],
    ['*?', '?', true],
  ])('%j on %j is %s', (pattern, text, expected) => {
    expect(compileLike(pattern)(text)).toBe(expected);
  });

  it('agrees with the definition', () => {
    const pattern = fc.array(fc.constantFrom('a', 'b', '?', '*', '😀'), { maxLength: 8 });
    const text = fc.array(fc.constantFrom('a', 'b', '😀', '?'), { maxLength: 10 });
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        expect(compileLike(p.join(''))(t.join(''))).toBe(like(t, p));
      }),
      { numRuns: 3000 },
    );
  });

  it('finds pieces longer than a machine word', () => {
    const piece = `${'ab'.repeat(40)}?${'c'.repeat(40)}`;
    const test = compileLike(`x*${piece}*y`);
    expect(test(`x${'ab'.repeat(60)}-${'c'.repeat(60)}y`)).toBe(true);
    expect(test(`x${'ab'.repeat(39)}-${'c'.repeat(60)}y`)).toBe(false);
  });

  it.each([
    ['stars', `${'*a'.repeat(500)}*b`, 'a'.repeat(100_000)],
    ['a long piece with a wildcard', `*${'a'.repeat(1000)}?b*`, 'a'.repeat(100_000)],
    ['a long piece', `*${'a'.repeat(500)}b${'a'.repeat(500)}*`, 'a'.repeat(100_000)],
    ['a long piece that begins otherwise', `*b${'a'.repeat(1000)}*`, 'a'.repeat(100_000)],
    ['stars and wildcards', `${'*a?'.repeat(300)}*b`, 'a'.repeat(100_000)],
  ])('does not explode on %s', (_, pattern, text) => {
    const test = compileLike(pattern);
    const started = performance.now();
    expect(test(text)).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
