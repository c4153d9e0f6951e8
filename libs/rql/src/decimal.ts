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
const MAX_MAGNITUDE = 6144;
const MIN_EXPONENT = -6176;
const MAX_NUMERAL_LENGTH = 128;
const NUMERAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/;
const SPECIAL = /^([+-]?)(?:(inf(?:inity)?)|nan)$/i;

/** Reads what a Decimal128 can hold (34 digits, exponents to 6144); anything else is undefined. */
export function parseDecimal(text: string): Exact | undefined {
  if (text.length > MAX_NUMERAL_LENGTH) return undefined;
  const special = SPECIAL.exec(text);
  if (special) return special[2] === undefined ? Number.NaN : Number(`${special[1]}Infinity`);
  const match = NUMERAL.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', power = '0'] = match;
  if (whole.length + fraction.length === 0) return undefined;
  return bounded({ coefficient: BigInt(sign + whole + fraction), exponent: Number(power) - fraction.length });
}

function bounded(value: Scaled): Exact | undefined {
  if (value.coefficient === 0n) return 0;
  const { coefficient, exponent } = withoutTrailingZeros(value);
  const digits = digitCount(coefficient);
  if (digits > MAX_DIGITS || exponent + digits - 1 > MAX_MAGNITUDE || exponent < MIN_EXPONENT) return undefined;
  return simplest({ coefficient, exponent });
}

/** Reads an integer of 64 bits; anything else is undefined. */
export function parseLong(text: string): Exact | undefined {
  return /^[+-]?\d{1,19}$/.test(text) ? exactLong(BigInt(text)) : undefined;
}

/** Undefined past 64 bits. */
export function exactLong(value: bigint): Exact | undefined {
  if (BigInt.asIntN(64, value) !== value) return undefined;
  return simplest(withoutTrailingZeros({ coefficient: value, exponent: 0 }));
}

function simplest({ coefficient, exponent }: Scaled): Exact {
  const nearest = Number(`${coefficient}e${exponent}`);
  const exact =
    Number.isFinite(nearest) && nearest !== 0 && compareScaled(scaled(nearest), { coefficient, exponent }) === 0;
  return exact || coefficient === 0n ? nearest + 0 : { coefficient, exponent, nearest };
}

function withoutTrailingZeros({ coefficient, exponent }: Scaled): Scaled {
  let [digits, power] = [coefficient, exponent];
  while (digits !== 0n && digits % 10n === 0n) {
    digits /= 10n;
    power += 1;
  }
  return { coefficient: digits, exponent: power };
}

function digitCount(value: bigint): number {
  return String(value < 0n ? -value : value).length;
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
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Negative, zero or positive; undefined when one is NaN. Exact: nothing is rounded to a double first. */
export function compareExact(a: Exact, b: Exact): number | undefined {
  const left = typeof a === 'number' ? a : a.nearest;
  const right = typeof b === 'number' ? b : b.nearest;
  if (left < right) return -1;
  if (left > right) return 1;
  if (left !== right) return undefined;
  if (typeof a === 'number' && typeof b === 'number') return 0;
  if (a === Number.POSITIVE_INFINITY || b === Number.NEGATIVE_INFINITY) return 1;
  if (a === Number.NEGATIVE_INFINITY || b === Number.POSITIVE_INFINITY) return -1;
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

/** The exact sum of finite numbers, rounded to the 34 digits of a Decimal128. */
export function sumExact(values: readonly Exact[]): Exact {
  return divided(total(values), 1n);
}

/** Their mean, rounded to 34 digits; of at least one number. */
export function meanExact(values: readonly Exact[]): Exact {
  return divided(total(values), BigInt(values.length));
}

function total(values: readonly Exact[]): Scaled {
  let sum: Scaled = { coefficient: 0n, exponent: 0 };
  for (const value of values) {
    const { left, right, exponent } = aligned(sum, scaled(value));
    sum = { coefficient: left + right, exponent };
  }
  return sum;
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
  return simplest(withoutTrailingZeros({ coefficient: (kept + up) * sign, exponent: exponent - guard + excess }));
}
