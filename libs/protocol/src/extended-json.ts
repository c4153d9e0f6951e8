import { isObject } from './json.ts';

const hex24 = /^[0-9a-f]{24}$/i;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const integer = /^-?\d{1,20}$/;
const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?$|^[+-]?(Infinity|NaN)$/;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

const isText = (pattern: RegExp) => (value: unknown) =>
  typeof value === 'string' && value.length <= 64 && pattern.test(value);

function isInt64Text(value: unknown): boolean {
  if (typeof value !== 'string' || !integer.test(value)) return false;
  const number = BigInt(value);
  return number >= -(2n ** 63n) && number < 2n ** 63n;
}

function isDate(value: unknown): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (typeof value === 'string') return value.length <= 40 && !Number.isNaN(Date.parse(value));
  return isObject(value) && Object.keys(value).length === 1 && isInt64Text(value.$numberLong);
}

function isBinary(value: unknown): boolean {
  return (
    isObject(value) &&
    Object.keys(value).length === 2 &&
    typeof value.base64 === 'string' &&
    base64.test(value.base64) &&
    typeof value.subType === 'string' &&
    /^[0-9a-f]{1,2}$/i.test(value.subType)
  );
}

/** The typed values that may stand in a document, by their only key. Canonical and relaxed forms are both accepted. */
const typedValues: Readonly<Record<string, (value: unknown) => boolean>> = Object.assign(Object.create(null), {
  $oid: isText(hex24),
  $uuid: isText(uuid),
  $date: isDate,
  $numberDecimal: isText(decimal),
  $numberLong: isInt64Text,
  $numberInt: (value: unknown) => isInt64Text(value) && Math.abs(Number(value)) <= 2 ** 31,
  $numberDouble: isText(decimal),
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
