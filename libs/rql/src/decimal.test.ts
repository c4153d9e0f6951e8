import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { order } from '../test/naive-evaluator.ts';
import { compareExact, type Exact, exactText, meanExact, parseDecimal, parseLong, sumExact } from './decimal.ts';

function exact(text: string): Exact {
  const value = parseDecimal(text);
  if (value === undefined) throw new Error(`${text} is no decimal`);
  return value;
}

describe('parseDecimal', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['5.00', 5],
    ['+.5', 0.5],
    ['1e2', 100],
    ['1E+2', 100],
    ['NaN', Number.NaN],
    ['-nan', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-inf', Number.NEGATIVE_INFINITY],
    ['9007199254740992', 2 ** 53],
  ])('%s is the number %d', (text, expected) => {
    expect(parseDecimal(text)).toBe(expected);
  });

  it.each(['0.1', '9007199254740993', '1e400', '1e-400', '-0.3'])('%s is no double', (text) => {
    expect(typeof parseDecimal(text)).toBe('object');
  });

  it.each([
    ...['', '.', 'e5', '1e', '1.2.3', '0x10', ' 1', '1 ', 'one', '--1', '1e6145', '1e-6177', '1e99999', '1e999999999'],
    '12345678901234567890123456789012345',
    '0'.repeat(200),
  ])('%j is none', (text) => {
    expect(parseDecimal(text)).toBeUndefined();
  });

  it('takes 34 digits and the whole range', () => {
    expect(parseDecimal('9999999999999999999999999999999999e6111')).toBeDefined();
    expect(parseDecimal('1e-6176')).toBeDefined();
    expect(parseDecimal(`1${'0'.repeat(40)}`)).toBeDefined();
  });
});

describe('parseLong', () => {
  it.each(['9223372036854775808', '-9223372036854775809', '1.0', '', '1e3', '99999999999999999999'])(
    'refuses %s',
    (text) => {
      expect(parseLong(text)).toBeUndefined();
    },
  );

  it.each(['0', '5', '+5', '-5', '9223372036854775807', '-9223372036854775808'])('takes %s', (text) => {
    expect(parseLong(text)).toBeDefined();
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
    const result = compareExact(exact(a), exact(b));
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
        expect(Math.sign(compareExact(exact(text), x) ?? Number.NaN)).toBe(Math.sign(expected));
        expect(Math.sign(compareExact(x, exact(text)) ?? Number.NaN) + Math.sign(expected)).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees with integers', () => {
    const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(integer, integer, (a, b) => {
        const expected = a < b ? -1 : a > b ? 1 : 0;
        const [x, y] = [parseLong(String(a)), parseLong(String(b))];
        expect(x !== undefined && y !== undefined && Math.sign(compareExact(x, y) ?? Number.NaN)).toBe(expected);
        expect(x !== undefined && y !== undefined && (exactText(x) === exactText(y)) === (expected === 0)).toBe(true);
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
          const exacts = values.map((value) => parseLong(String(value)) ?? Number.NaN);
          const total = values.reduce((a, b) => a + b, 0n);
          expect(exactText(sumExact(exacts))).toBe(exactText(exact(String(total))));
          expect(compareExact(meanExact(exacts.map(() => exacts[0] ?? 0)), exacts[0] ?? 0)).toBe(0);
        },
      ),
    );
  });

  it('round half to even at 34 digits', () => {
    const big = '1000000000000000000000000000000000';
    expect(exactText(sumExact([exact(big), exact('0.5')]))).toBe('1E33');
    expect(exactText(sumExact([exact(big), exact('0.50001')]))).toBe(
      exactText(exact('1000000000000000000000000000000001')),
    );
    expect(exactText(sumExact([exact('1000000000000000000000000000000001'), exact('0.5')]))).toBe(
      '1000000000000000000000000000000002E0',
    );
    expect(exactText(sumExact([exact(`-${big}`), exact('-0.50001')]))).toBe('-1000000000000000000000000000000001E0');
  });
});
