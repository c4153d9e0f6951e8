import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { order } from '../test/naive-evaluator.ts';
import { compareExact, decimal, exactText, integer, sumExact } from './decimal.ts';

describe('decimal', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['5.00', 5],
    ['+.5', 0.5],
    ['1e2', 100],
    ['1E+2', 100],
    ['NaN', Number.NaN],
    ['-NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['9007199254740992', 2 ** 53],
  ])('%s is the number %d', (text, expected) => {
    expect(decimal(text)).toBe(expected);
  });

  it.each(['0.1', '9007199254740993', '1e400', '1e-400', '-0.3'])('%s is no double', (text) => {
    expect(typeof decimal(text)).toBe('object');
  });

  it('takes 34 digits and the whole range', () => {
    expect(exactText(decimal('9999999999999999999999999999999999e6111'))).toBe(
      '9999999999999999999999999999999999E6111',
    );
    expect(exactText(decimal('1e-6176'))).toBe('1E-6176');
    expect(decimal(`1${'0'.repeat(20)}`)).toBe(1e20);
    expect(exactText(decimal(`1${'0'.repeat(40)}`))).toBe('1E40');
  });
});

describe('compareExact', () => {
  it.each<[string, string, number | undefined]>([
    ['0.1', '0.1', 0],
    ['0.1', '0.10', 0],
    ['0.1', '0.1000000000000000000000000000000001', -1],
    ['9007199254740993', '9007199254740992', 1],
    ['9007199254740993', '9007199254740994', -1],
    ['1e400', '1e401', -1],
    ['-1e400', '1e400', -1],
    ['1e400', 'Infinity', -1],
    ['Infinity', '1e400', 1],
    ['-Infinity', '-1e400', -1],
    ['-1e400', '-Infinity', 1],
    ['1e-400', '0', 1],
    ['-1e-400', '0', -1],
    ['1e-400', '1e-401', 1],
    ['5e-324', '4.94e-324', 1],
    ['1', 'NaN', undefined],
    ['NaN', 'NaN', undefined],
  ])('of %s and %s', (a, b, expected) => {
    const result = compareExact(decimal(a), decimal(b));
    expect(result === undefined ? undefined : Math.sign(result)).toBe(expected);
  });

  it('orders doubles against decimals exactly', () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(double, fc.constantFrom('', '0', '1', '5', '49'), (x, more) => {
        // A neighbour of x: its shortest text, with digits put behind.
        const [digits = '', power] = x.toExponential().split('e');
        const text = `${digits}${digits.includes('.') ? more : `.0${more}`}e${power}`;
        const expected = order({ $numberDecimal: text }, x) ?? Number.NaN;
        expect(Math.sign(compareExact(decimal(text), x) ?? Number.NaN)).toBe(Math.sign(expected));
        expect(Math.sign(compareExact(x, decimal(text)) ?? Number.NaN) + Math.sign(expected)).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees with integers', () => {
    const integers = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(integers, integers, (a, b) => {
        const expected = a < b ? -1 : a > b ? 1 : 0;
        const [x, y] = [integer(a), integer(b)];
        expect(Math.sign(compareExact(x, y) ?? Number.NaN)).toBe(expected);
        expect((exactText(x) === exactText(y)) === (expected === 0)).toBe(true);
      }),
    );
  });
});

describe('sums', () => {
  it('are exact for integers of any size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), { minLength: 1, maxLength: 8 }),
        (values) => {
          const exacts = values.map((value) => integer(value));
          const total = values.reduce((a, b) => a + b, 0n);
          expect(exactText(sumExact(exacts))).toBe(exactText(decimal(String(total))));
          expect(
            compareExact(
              sumExact(
                exacts.map(() => exacts[0] ?? 0),
                exacts.length,
              ),
              exacts[0] ?? 0,
            ),
          ).toBe(0);
        },
      ),
    );
  });

  it('round half to even at 34 digits', () => {
    const big = '1000000000000000000000000000000000';
    expect(exactText(sumExact([decimal(big), decimal('0.5')]))).toBe('1E33');
    expect(exactText(sumExact([decimal(big), decimal('0.50001')]))).toBe(
      exactText(decimal('1000000000000000000000000000000001')),
    );
    expect(exactText(sumExact([decimal('1000000000000000000000000000000001'), decimal('0.5')]))).toBe(
      '1000000000000000000000000000000002E0',
    );
    expect(exactText(sumExact([decimal(`-${big}`), decimal('-0.50001')]))).toBe(
      '-1000000000000000000000000000000001E0',
    );
  });
});
