import { isObject } from '@tidemark/protocol';

export type SchemaObject = Readonly<Record<string, unknown>>;

/** A schema inside a schema. */
export interface Subschema {
  readonly place: readonly string[];
  readonly schema: SchemaObject;
  /** The place of the schema around it, if both are about the same value (`allOf`), not about a part of it (`items`). */
  readonly sameValueAs?: readonly string[];
}

const one = 'one';
const many = 'many';
const named = 'named';

/** Where schemas hide in a schema, and whether they are about the same value. */
const applicators: Readonly<Record<string, { readonly shape: 'one' | 'many' | 'named'; readonly sameValue: boolean }>> =
  {
    allOf: { shape: many, sameValue: true },
    anyOf: { shape: many, sameValue: true },
    oneOf: { shape: many, sameValue: true },
    not: { shape: one, sameValue: true },
    if: { shape: one, sameValue: true },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: { shape: one, sameValue: true },
    else: { shape: one, sameValue: true },
    dependentSchemas: { shape: named, sameValue: true },
    dependencies: { shape: named, sameValue: true },
    properties: { shape: named, sameValue: false },
    patternProperties: { shape: named, sameValue: false },
    $defs: { shape: named, sameValue: false },
    definitions: { shape: named, sameValue: false },
    prefixItems: { shape: many, sameValue: false },
    items: { shape: one, sameValue: false },
    additionalItems: { shape: one, sameValue: false },
    unevaluatedItems: { shape: one, sameValue: false },
    contains: { shape: one, sameValue: false },
    additionalProperties: { shape: one, sameValue: false },
    unevaluatedProperties: { shape: one, sameValue: false },
    propertyNames: { shape: one, sameValue: false },
    contentSchema: { shape: one, sameValue: false },
  };

/** The schema and all schemas in it, outermost first. What only looks like one (in `const`, `enum`, …) is left out. */
export function* subschemas(schema: SchemaObject, place: readonly string[] = []): Generator<Subschema> {
  yield* walk({ schema, place });
}

function* walk(current: Subschema): Generator<Subschema> {
  yield current;
  for (const [keyword, value] of Object.entries(current.schema)) {
    const applicator = Object.hasOwn(applicators, keyword) ? applicators[keyword] : undefined;
    if (applicator === undefined) continue;
    const at = [...current.place, keyword];
    for (const [place, inner] of members(applicator.shape, at, value)) {
      yield* walk({ place, schema: inner, ...(applicator.sameValue ? { sameValueAs: current.place } : {}) });
    }
  }
}

/** Draft-07 writes a list under `items`, so a list is opened wherever one stands. */
function members(shape: string, at: readonly string[], value: unknown): [readonly string[], SchemaObject][] {
  const entries = Array.isArray(value) || (shape === named && isObject(value)) ? Object.entries(value) : undefined;
  const found: [readonly string[], unknown][] = entries?.map(([name, inner]) => [[...at, name], inner]) ?? [
    [at, value],
  ];
  return found.filter((member): member is [readonly string[], SchemaObject] => isObject(member[1]));
}
