import { isObject } from './json.ts';

const hex24 = /^[0-9a-f]{24}$/i;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const integer = /^-?\d{1,19}$/;
/** Sign, whole digits, fraction and power of a numeral; of what is no finite number the sign only. */
export const numeral = /^([+-]?)(?:(?=\.?\d)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?|Infinity|NaN)$/;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** ISO 8601 as Extended JSON has it: a day, or a time with its zone. */
const isoDate = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d(?::?\d\d)?))?$/;

const isText =
  (pattern: RegExp) =>
  (value: unknown): value is string =>
    typeof value === 'string' && pattern.test(value);

const isIntegerText = isText(integer);
const isNumeral = isText(numeral);
const isDouble = (value: unknown): value is string => isNumeral(value) && value.length <= 64;
const isBase64 = isText(base64);
const isByte = isText(/^[0-9a-f]{1,2}$/i);

const isInteger = (bits: number) => (value: unknown) =>
  isIntegerText(value) && BigInt.asIntN(bits, BigInt(value)) === BigInt(value);
const isInt64Text = isInteger(64);

/** The time in ms since 1970 that the content of a `$date` stands for, in or beyond the calendar; NaN when it stands for none. */
export function dateTime(content: unknown): number {
  if (typeof content === 'string') return isoDate.test(content) ? Date.parse(content) : Number.NaN;
  if (!isObject(content)) return Number.isSafeInteger(content) ? Number(content) : Number.NaN;
  const isLong = Object.keys(content).length === 1 && isInt64Text(content.$numberLong);
  return isLong ? Number(content.$numberLong) : Number.NaN;
}

/** What a Decimal128 holds exactly: 34 digits, and exponents that it knows. */
function isDecimal(value: unknown): boolean {
  if (!isDouble(value)) return false;
  const [, , whole = '', fraction = '', power = '0'] = numeral.exec(value) ?? [];
  const [, digits = '', zeros = ''] = /^0*(.*?)(0*)$/.exec(whole + fraction) ?? [];
  const exponent = Number(power) - fraction.length + zeros.length;
  return digits === '' || (digits.length <= 34 && exponent >= -6176 && exponent + digits.length <= 6145);
}

function isBinary(value: unknown): boolean {
  return (
    isObject(value) &&
    Object.keys(value).length === 2 &&
    isBase64(value.base64) &&
    value.base64.replace(/=+$/, '').length % 4 !== 1 &&
    isByte(value.subType)
  );
}

/** The typed values that may stand in a document, by their only key. Canonical and relaxed forms are both accepted. */
const typedValues: Readonly<Record<string, (value: unknown) => boolean>> = Object.assign(Object.create(null), {
  $oid: isText(hex24),
  $uuid: isText(uuid),
  $date: (content: unknown) => !Number.isNaN(dateTime(content)),
  $numberDecimal: isDecimal,
  $numberLong: isInt64Text,
  $numberInt: isInteger(32),
  $numberDouble: isDouble,
  $binary: isBinary,
});

/** True when the object is exactly one Extended JSON value. */
export function isTypedValue(value: Record<string, unknown>): boolean {
  let only: string | undefined;
  for (const key in value) {
    if (only !== undefined) return false;
    only = key;
  }
  return only !== undefined && (typedValues[only]?.(value[only]) ?? false);
}
