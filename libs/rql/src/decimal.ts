import { numeral } from '@tidemark/protocol/core';

/**
 * Exact numbers. A number is a `number` wherever a double holds it exactly, so that the common case stays fast; only
 * what no double holds (large longs, most decimal fractions) is a {@link Decimal}. So equal numbers have one form.
 */
export interface Decimal {
  /** No trailing zeros. */
  readonly coefficient: bigint;
  /** Power of ten. */
  readonly exponent: number;
  /** The nearest double (±Infinity, ±0 outside their range): rounding is monotonic, so it decides most comparisons. */
  readonly nearest: number;
}

export type Exact = number | Decimal;

/** `coefficient * 10^exponent`, not normalised. */
interface Scaled {
  readonly coefficient: bigint;
  readonly exponent: number;
}

const MAX_DIGITS = 34;

/** What a numeral stands for that a Decimal128 can hold; `NaN` and `Infinity` are some. */
export function decimal(text: string): Exact {
  const [, sign, whole, fraction = '', power = 0] = numeral.exec(text) ?? [];
  if (whole === undefined) return Number(text);
  return exact({ coefficient: BigInt(`${sign}${whole}${fraction}`), exponent: Number(power) - fraction.length });
}

export function integer(value: bigint): Exact {
  return exact({ coefficient: value, exponent: 0 });
}

/** The one form of a number. */
function exact(value: Scaled): Exact {
  let { coefficient, exponent } = value;
  while (coefficient !== 0n && coefficient % 10n === 0n) {
    coefficient /= 10n;
    exponent += 1;
  }
  const nearest = Number(`${coefficient}e${exponent}`);
  if (coefficient === 0n) return 0;
  const isDouble = Number.isFinite(nearest) && nearest !== 0 && compareScaled(scaled(nearest), value) === 0;
  return isDouble ? nearest : { coefficient, exponent, nearest };
}

/** Of a number that is not negative. */
function digitCount(value: bigint): number {
  return String(value).length;
}

/** A finite double as it is: `m / 2^k` is `m * 5^k / 10^k`. */
function scaled(value: Exact): Scaled {
  if (typeof value !== 'number') return value;
  let [mantissa, halvings] = [value, 0];
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    halvings += 1;
  }
  return { coefficient: BigInt(mantissa) * 5n ** BigInt(halvings), exponent: -halvings };
}

function aligned(a: Scaled, b: Scaled): { left: bigint; right: bigint; exponent: number } {
  const exponent = Math.min(a.exponent, b.exponent);
  const lift = (value: Scaled): bigint => value.coefficient * 10n ** BigInt(value.exponent - exponent);
  return { left: lift(a), right: lift(b), exponent };
}

function compareScaled(a: Scaled, b: Scaled): number {
  const { left, right } = aligned(a, b);
  return Number(left - right);
}

/** An infinity past the largest double. */
export function nearestDouble(value: Exact): number {
  return typeof value === 'number' ? value : value.nearest;
}

/** Negative, zero or positive; undefined when one is NaN. Exact: nothing is rounded to a double first. */
export function compareExact(a: Exact, b: Exact): number | undefined {
  const left = nearestDouble(a);
  const right = nearestDouble(b);
  if (left < right) return -1;
  if (left > right) return 1;
  if (left !== right) return undefined;
  // A Decimal past the doubles is nearest to an infinity, but finite.
  if (a === left && b === right) return 0;
  if (a === left && !Number.isFinite(left)) return Math.sign(left);
  if (b === right && !Number.isFinite(right)) return -Math.sign(right);
  return compareScaled(scaled(a), scaled(b));
}

/** One text for equal numbers, whatever type they came in. */
export function exactText(value: Exact): string {
  return typeof value === 'number' ? String(value + 0) : `${value.coefficient}E${value.exponent}`;
}

/** The integer that a Decimal is, if it has 64 bits. */
export function asLong({ coefficient, exponent }: Decimal): bigint | undefined {
  if (exponent < 0 || exponent > 19) return undefined;
  const value = coefficient * 10n ** BigInt(exponent);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

/** The exact sum of finite numbers by a positive divisor, rounded once to the 34 digits of a Decimal128. */
export function sumExact(values: readonly Exact[], divisor = 1): Exact {
  let sum: Scaled = { coefficient: 0n, exponent: 0 };
  for (const value of values) {
    const { left, right, exponent } = aligned(sum, scaled(value));
    sum = { coefficient: left + right, exponent };
  }
  return divided(sum, BigInt(divisor));
}

/** Rounded once, to 34 digits, half to even; by a positive divisor. */
function divided({ coefficient, exponent }: Scaled, divisor: bigint): Exact {
  const guard = MAX_DIGITS + digitCount(divisor);
  const sign = coefficient < 0n ? -1n : 1n;
  const dividend = coefficient * sign * 10n ** BigInt(guard);
  const excess = Math.max(0, digitCount(dividend / divisor) - MAX_DIGITS);
  const unit = divisor * 10n ** BigInt(excess);
  const [kept, twice] = [dividend / unit, (dividend % unit) * 2n];
  const up = twice > unit || (twice === unit && kept % 2n === 1n) ? 1n : 0n;
  return exact({ coefficient: (kept + up) * sign, exponent: exponent - guard + excess });
}
