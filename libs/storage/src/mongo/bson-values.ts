import { isTypedValue, type Json, type JsonObject } from '@tidemark/protocol';
import { Binary, BSON, Decimal128, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'mongodb';
import { StoreError } from '../store-error.ts';
import { setField } from './set-field.ts';

/** A value as the driver takes and gives it. */
export type BsonValue = unknown;

const maxTime = 8.64e15;

/**
 * JSON with Extended JSON in it → what the driver stores. Only typed values are recognised, never strings that look like
 * one. Values that need no conversion come back as the same object. Throws StoreError `invalid` for a value that BSON
 * cannot hold: a date beyond the years that JavaScript knows; and for a field `_bsontype`.
 */
export function toBson(value: Json): BsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return convertItems(value as readonly Json[], toBson);
  return objectToBson(value as JsonObject);
}

function objectToBson(value: JsonObject): BsonValue {
  for (const key in value) {
    if (key.startsWith('$') && isTypedValue(value)) return typedToBson(key, value[key] as Json);
    break;
  }
  // The driver would take the object for one of its own classes.
  if (Object.hasOwn(value, '_bsontype')) throw new StoreError('invalid', 'a field cannot be called _bsontype');
  return convertFields(value, toBson as (value: unknown) => unknown);
}

function typedToBson(type: string, content: Json): BsonValue {
  switch (type) {
    case '$oid':
      return new ObjectId(content as string);
    case '$uuid':
      return new UUID(content as string);
    case '$date':
      return toDate(content);
    case '$numberDecimal':
      return toDecimal(content as string);
    case '$numberLong':
      return Long.fromString(content as string);
    case '$numberInt':
      return new Int32(Number(content));
    case '$numberDouble':
      return new Double(Number(content));
    default:
      return toBinary(content as { base64: string; subType: string });
  }
}

function toDate(content: Json): Date {
  const time =
    typeof content === 'object'
      ? Number((content as JsonObject).$numberLong)
      : new Date(content as string | number).getTime();
  if (!(Math.abs(time) <= maxTime)) throw new StoreError('invalid', 'a date is out of range');
  return new Date(time);
}

function toDecimal(text: string): Decimal128 {
  try {
    return Decimal128.fromString(text);
  } catch (error) {
    throw new StoreError('invalid', `not a decimal of 34 digits: ${text.slice(0, 40)}`, error);
  }
}

function toBinary(content: { readonly base64: string; readonly subType: string }): Binary {
  return new Binary(Buffer.from(content.base64, 'base64'), Number.parseInt(content.subType, 16));
}

/**
 * What the driver read → JSON with Extended JSON in it: numbers that a double holds exactly as plain numbers, dates as ISO
 * text. Types that no client may write (regular expressions, timestamps …) appear as canonical Extended JSON, so that
 * a user's own document can always be read. The argument stays as it is.
 */
export function fromBson(value: BsonValue): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : { $numberDouble: String(value) };
    case 'object':
      return value === null ? null : objectFromBson(value);
    default:
      return null;
  }
}

function objectFromBson(value: object): Json {
  if (Array.isArray(value)) return convertItems(value, fromBson) as readonly Json[];
  if (Object.getPrototypeOf(value) === Object.prototype) {
    return convertFields(value as Record<string, unknown>, fromBson) as JsonObject;
  }
  if (value instanceof Date) return fromDate(value);
  if (value instanceof ObjectId) return { $oid: value.toHexString() };
  // A timestamp is a Long to JavaScript.
  if (value instanceof Long && !(value instanceof Timestamp)) return { $numberLong: value.toString() };
  if (value instanceof Decimal128) return { $numberDecimal: value.toString() };
  if (value instanceof Binary) return fromBinary(value);
  return BSON.EJSON.serialize({ value }, { relaxed: false }).value as Json;
}

/** A time that JavaScript cannot name has been lost by the driver. */
function fromDate(date: Date): Json {
  const time = date.getTime();
  if (Number.isNaN(time)) return null;
  const year = date.getUTCFullYear();
  return { $date: year >= 0 && year <= 9999 ? date.toISOString() : { $numberLong: String(time) } };
}

function fromBinary(binary: Binary): Json {
  if (binary.sub_type === Binary.SUBTYPE_UUID && binary.length() === 16)
    return { $uuid: binary.toUUID().toHexString() };
  return { $binary: { base64: binary.toString('base64'), subType: binary.sub_type.toString(16).padStart(2, '0') } };
}

/** The same list when no item is converted. */
function convertItems(
  items: readonly Json[] | readonly unknown[],
  convert: (value: never) => unknown,
): readonly unknown[] {
  let converted: unknown[] | undefined;
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    const result = convert(item as never);
    if (result !== item) converted ??= items.slice(0, index);
    converted?.push(result);
  }
  return converted ?? items;
}

/** The same object when no field is converted. */
function convertFields(
  fields: Readonly<Record<string, unknown>>,
  convert: (value: unknown) => unknown,
): Record<string, unknown> {
  let converted: Record<string, unknown> | undefined;
  for (const name in fields) {
    const result = convert(fields[name]);
    if (result === fields[name]) continue;
    converted ??= { ...fields };
    setField(converted, name, result);
  }
  return converted ?? (fields as Record<string, unknown>);
}
