/** A list in a list in a list … */
export function nested(depth: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

export function nestedObject(depth: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < depth; level++) value = { a: value };
  return value;
}

/** Throws as soon as it should become a number or a text. */
const incomparable = { toString: 1, valueOf: 1 };

/** What may stand where something else belongs. By name, so that a failing test says which it was. */
export const garbage: Readonly<Record<string, unknown>> = {
  null: null,
  true: true,
  zero: 0,
  negative: -1,
  fraction: 1.5,
  huge: 1e308,
  empty: '',
  text: 'x',
  nul: 'a\u0000b',
  'half a character': '\ud800',
  'long text': 'x'.repeat(100_000),
  list: [],
  'list of null': [null],
  'list of lists': [[[]]],
  object: {},
  operator: { $gt: '' },
  'operator of null': { $ne: null },
  'half an id': { $oid: 'x' },
  'two ids': { $oid: '0123456789abcdef01234567', $uuid: '01234567-89ab-cdef-0123-456789abcdef' },
  prototype: JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  'name of the prototype': '__proto__',
  constructor: 'constructor',
  'deep list': nested(2_000),
  'deep object': nestedObject(2_000),
  binary: Buffer.from([0, 1, 2, 255]),
  'binary inside': { a: Buffer.from('x') },
  'toString of its own': { toString: 'x', valueOf: 1, toJSON: 2, length: -1 },
  'a length that compares with nothing': { length: incomparable, size: incomparable },
};

/** The value with one place in it replaced, for every place: fields, fields of fields, members of lists. */
export function* mutations(value: unknown, replacement: unknown): Generator<{ at: string; value: unknown }> {
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.keys(value)) {
    const own = (value as Record<string, unknown>)[key];
    yield { at: key, value: withPart(value, key, replacement) };
    for (const inner of mutations(own, replacement)) {
      yield { at: `${key}.${inner.at}`, value: withPart(value, key, inner.value) };
    }
  }
}

function withPart(whole: object, key: string, part: unknown): unknown {
  if (Array.isArray(whole)) return whole.map((member, index) => (String(index) === key ? part : member));
  return { ...whole, [key]: part };
}
