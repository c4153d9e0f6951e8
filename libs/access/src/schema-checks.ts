import { linearPattern } from './linear-pattern.ts';
import { SchemaError } from './schema-error.ts';
import { type SchemaObject, type Subschema, subschemas } from './schema-walk.ts';
import { stringFormats } from './string-formats.ts';

/** Comparing every member with every other is affordable up to this many. */
const maxUniqueItems = 1_000;

/** Keywords that name a schema by anything but its place: what they lead to could not be checked here. */
const refusedKeywords = ['$dynamicRef', '$recursiveRef', '$anchor', '$dynamicAnchor', '$recursiveAnchor'];

/**
 * Throws SchemaError when checking a document could cost more than its size allows, could not end, or needs
 * something outside of the file.
 */
export function checkSchema(schema: SchemaObject): void {
  const all = [...subschemas(schema)];
  const places = new Set(all.map(({ place }) => placeKey(place)));
  for (const subschema of all) {
    checkKeywords(subschema);
    checkPatterns(subschema);
    checkUniqueItems(subschema);
    checkReference(subschema, places);
  }
  checkRecursion(all);
}

function checkKeywords({ schema, place }: Subschema): void {
  for (const keyword of refusedKeywords) {
    if (Object.hasOwn(schema, keyword)) throw new SchemaError([...place, keyword], 'is not supported; use $ref: "#/…"');
  }
  if (Object.hasOwn(schema, '$id') && place.length > 0)
    throw new SchemaError([...place, '$id'], 'may only stand at the top');
  const { format } = schema;
  if (typeof format === 'string' && !Object.hasOwn(stringFormats, format)) {
    throw new SchemaError([...place, 'format'], `unknown; expected ${Object.keys(stringFormats).join(', ')}`);
  }
}

function checkPatterns({ schema, place }: Subschema): void {
  if (typeof schema.pattern === 'string') checkPattern(schema.pattern, [...place, 'pattern']);
  for (const pattern of Object.keys(Object(schema.patternProperties))) {
    checkPattern(pattern, [...place, 'patternProperties', pattern]);
  }
}

function checkPattern(pattern: string, place: readonly string[]): void {
  try {
    linearPattern(pattern);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SchemaError(place, `a pattern that cannot be matched in linear time, or none: ${reason}`, error);
  }
}

function checkUniqueItems({ schema, place }: Subschema): void {
  if (schema.uniqueItems !== true) return;
  if (typeof schema.maxItems === 'number' && schema.maxItems <= maxUniqueItems) return;
  throw new SchemaError([...place, 'uniqueItems'], `needs maxItems of at most ${maxUniqueItems} beside it`);
}

function checkReference({ schema, place }: Subschema, places: ReadonlySet<string>): void {
  const { $ref } = schema;
  if ($ref === undefined) return;
  const target = typeof $ref === 'string' ? pointer($ref) : undefined;
  if (target === undefined) throw new SchemaError([...place, '$ref'], 'must lead to a place of this schema: "#/…"');
  if (!places.has(placeKey(target))) throw new SchemaError([...place, '$ref'], `there is no schema at ${String($ref)}`);
}

/** The place that `#/a/b` names, or undefined for any other reference. */
function pointer(reference: string): readonly string[] | undefined {
  if (reference === '#') return [];
  if (!reference.startsWith('#/')) return undefined;
  try {
    const names = decodeURIComponent(reference.slice(2)).split('/');
    return names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  } catch {
    return undefined;
  }
}

const placeKey = (place: readonly string[]) => JSON.stringify(place);

/** A schema that needs itself for the same value can never answer. */
function checkRecursion(all: readonly Subschema[]): void {
  const needs = new Map<string, string[]>(all.map(({ place }) => [placeKey(place), []]));
  for (const { place, schema, sameValueAs } of all) {
    if (sameValueAs !== undefined) needs.get(placeKey(sameValueAs))?.push(placeKey(place));
    const target = typeof schema.$ref === 'string' ? pointer(schema.$ref) : undefined;
    if (target !== undefined) needs.get(placeKey(place))?.push(placeKey(target));
  }
  const finished = new Set<string>();
  const open = new Set<string>();
  const visit = (key: string): boolean => {
    if (open.has(key)) return true;
    if (finished.has(key)) return false;
    open.add(key);
    const isRecursive = needs.get(key)?.some(visit) ?? false;
    open.delete(key);
    finished.add(key);
    return isRecursive;
  };
  for (const { place } of all) {
    if (visit(placeKey(place))) throw new SchemaError(place, 'leads back to itself for the same value');
  }
}
