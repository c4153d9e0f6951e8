/**
 * The meaning of a query, written a second time straight from the description of the language, as plainly as possible
 * and sharing nothing with the room's code: no kinds, no keys, no bound tree. Slow on purpose.
 */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

export type Field =
  | { readonly is: 'path'; readonly path: readonly string[]; readonly word?: 'any' | 'all' | 'none' }
  | {
      readonly is: 'aggregate';
      readonly path: readonly string[];
      readonly fn: 'count' | 'min' | 'max' | 'sum' | 'avg';
    };
export type Constant =
  | { readonly is: 'value'; readonly value: Value; readonly spelled: 'literal' | 'argument' }
  | {
      readonly is: 'list';
      readonly values: readonly Value[];
      readonly spelled: 'literal' | 'argument';
      readonly word?: 'any' | 'all' | 'none';
    }
  | { readonly is: 'claim'; readonly name: string };
export type Operand = Field | Constant;
export type Comparison = {
  readonly is: 'comparison';
  readonly operator: string;
  readonly left: Operand;
  readonly right: Operand;
  readonly folded: boolean;
};
export type Spec =
  | { readonly is: 'and' | 'or'; readonly members: readonly Spec[] }
  | { readonly is: 'not'; readonly member: Spec }
  | { readonly is: 'constant'; readonly value: boolean }
  | { readonly is: 'between'; readonly operand: Field; readonly low: Value; readonly high: Value }
  | Comparison;

export interface Situation {
  readonly document: { readonly [key: string]: Value };
  readonly user: { readonly [key: string]: Value };
}

/** `negated`: whether an odd number of NOTs stands above; only claims that are missing care. */
export function holds(spec: Spec, at: Situation, negated = false): boolean {
  switch (spec.is) {
    case 'constant':
      return spec.value !== negated;
    case 'not':
      return holds(spec.member, at, !negated);
    case 'and':
    case 'or': {
      const results = spec.members.map((member) => holds(member, at, negated));
      return (spec.is === 'and') !== negated ? results.every(Boolean) : results.some(Boolean);
    }
    case 'between': {
      const inside = (v: Value): boolean => compares('>=', v, spec.low, false) && compares('<=', v, spec.high, false);
      return quantify(wordOf(spec.operand), valuesOf(spec.operand, at), inside) !== negated;
    }
    default: {
      if (isMissing(spec.left, at) || isMissing(spec.right, at)) return false;
      return compareSides(spec, at) !== negated;
    }
  }
}

function isMissing(operand: Operand, at: Situation): boolean {
  return operand.is === 'claim' && (at.user[operand.name] ?? null) === null;
}

function wordOf(operand: Operand): 'any' | 'all' | 'none' | undefined {
  return operand.is === 'path' || operand.is === 'list' ? operand.word : undefined;
}

function quantify<T>(
  word: 'any' | 'all' | 'none' | undefined,
  values: readonly T[],
  test: (value: T) => boolean,
): boolean {
  if (word === 'all') return values.filter(test).length === values.length;
  if (word === 'none') return values.filter(test).length === 0;
  return values.filter(test).length > 0;
}

function compareSides({ operator, left, right, folded }: Comparison, at: Situation): boolean {
  const op = operator === 'IN' ? '==' : operator;
  const [lefts, rights] = [valuesOf(left, at), valuesOf(right, at)];
  if (wordOf(right)) {
    return quantify(wordOf(right), rights, (b) => quantify('any', lefts, (a) => compares(op, a, b, folded)));
  }
  return quantify(wordOf(left), lefts, (a) => quantify('any', rights, (b) => compares(op, a, b, folded)));
}

export function valuesOf(operand: Operand, at: Situation): Value[] {
  switch (operand.is) {
    case 'value':
      return [operand.value];
    case 'list':
      return [...operand.values];
    case 'claim': {
      const claim = at.user[operand.name] ?? null;
      return Array.isArray(claim) ? claim.filter((v) => v !== null) : [claim];
    }
    case 'path':
      return walk(at.document, operand.path).values;
    case 'aggregate':
      return [aggregate(operand.fn, walk(at.document, operand.path))];
  }
}

interface Walked {
  readonly values: Value[];
  readonly list: boolean;
}

function walk(from: Value, path: readonly string[]): Walked {
  let frontier: Value[] = [from];
  let list = false;
  path.forEach((name, depth) => {
    const next = frontier.map((v) => (isDocument(v) && Object.hasOwn(v, name) ? (v[name] as Value) : null));
    frontier = next.flatMap((v) => {
      if (!Array.isArray(v)) return [v];
      list = true;
      return depth === path.length - 1 ? v : v.filter(isDocument);
    });
  });
  return { values: frontier, list };
}

function isDocument(v: Value): v is { [key: string]: Value } {
  return typeof v === 'object' && v !== null && !Array.isArray(v) && !(Object.keys(v)[0] ?? '').startsWith('$');
}

/** Numbers as fractions of integers: no rounding anywhere. */
interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}

function fraction(v: Value): Fraction | 'NaN' | 'Infinity' | '-Infinity' | undefined {
  const text = numeral(v);
  if (text === undefined) return undefined;
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return text;
  if (typeof text === 'number') return fromDouble(text);
  const [digits = '', power = '0'] = text.toLowerCase().split('e');
  const [whole = '', part = ''] = digits.split('.');
  const scale = Number(power) - part.length;
  const over = BigInt(whole + part);
  return scale >= 0 ? { over: over * 10n ** BigInt(scale), under: 1n } : { over, under: 10n ** BigInt(-scale) };
}

function numeral(v: Value): string | number | undefined {
  if (typeof v === 'number') return v;
  if (typeof v !== 'object' || v === null || Array.isArray(v)) return undefined;
  const { $numberDouble: double, $numberDecimal: decimal, $numberLong: long, $numberInt: int } = v as Wrappers;
  if (double !== undefined) return Number.isFinite(Number(double)) ? Number(double) : double;
  return decimal ?? long ?? int;
}

function fromDouble(value: number): Fraction {
  let under = 1n;
  let over = value;
  while (!Number.isInteger(over)) {
    over *= 2;
    under *= 2n;
  }
  return { over: BigInt(over), under };
}

export function order(a: Value, b: Value): number | undefined {
  const [x, y] = [fraction(a), fraction(b)];
  if (x !== undefined && y !== undefined) {
    if (x === 'NaN' || y === 'NaN') return undefined;
    const rank = (f: typeof x): number => (f === '-Infinity' ? -1 : f === 'Infinity' ? 1 : 0);
    if (typeof x === 'string' || typeof y === 'string') return rank(x) - rank(y);
    return sign(x.over * y.under - y.over * x.under);
  }
  const [p, q] = [plain(a), plain(b)];
  if (p === undefined || q === undefined || p[0] !== q[0]) return undefined;
  return byPoints(p[1], q[1]);
}

function sign(n: bigint): number {
  return n < 0n ? -1 : n > 0n ? 1 : 0;
}

function byPoints(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
  }
  return a.length - b.length;
}

interface Wrappers {
  readonly $oid?: string;
  readonly $uuid?: string;
  readonly $date?: string | { readonly $numberLong: string };
  readonly $binary?: { readonly base64: string; readonly subType: string };
  readonly $numberDouble?: string;
  readonly $numberDecimal?: string;
  readonly $numberLong?: string;
  readonly $numberInt?: string;
}

/** Ordered kinds other than numbers, as a name and a row of numbers. */
function plain(v: Value): [string, number[]] | undefined {
  if (v === null) return ['null', []];
  if (typeof v === 'boolean') return ['boolean', [v ? 1 : 0]];
  if (typeof v === 'string') return ['string', Array.from(v, (c) => c.codePointAt(0) as number)];
  if (typeof v !== 'object' || Array.isArray(v)) return undefined;
  const { $oid: oid, $uuid: uuid, $date: date, $binary: binary } = v as Wrappers;
  if (typeof oid === 'string') return ['oid', hex(oid)];
  if (typeof uuid === 'string') return ['uuid', hex(uuid)];
  if (date !== undefined) return ['date', [Number(typeof date === 'object' ? date.$numberLong : new Date(date))]];
  if (binary?.subType === '04') return ['uuid', [...Buffer.from(binary.base64, 'base64')]];
  return undefined;
}

function hex(text: string): number[] {
  return [...Buffer.from(text.replaceAll('-', ''), 'hex')];
}

export function same(a: Value, b: Value): boolean {
  const result = order(a, b);
  if (result !== undefined) return result === 0;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => sameContent(v, b[i]));
  if (isDocument(a) && isDocument(b)) {
    const [k, l] = [Object.keys(a), Object.keys(b)];
    return k.length === l.length && k.every((key, i) => key === l[i] && sameContent(a[key], b[key]));
  }
  return sameBinary(a, b);
}

/** Inside of a list or a document, nan is content like any other. */
function sameContent(a: Value | undefined, b: Value | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return same(a, b) || (fraction(a) === 'NaN' && fraction(b) === 'NaN');
}

function sameBinary(a: Value, b: Value): boolean {
  const [x, y] = [(a as Wrappers | null)?.$binary, (b as Wrappers | null)?.$binary];
  if (!x || !y || x.subType !== y.subType) return false;
  return Buffer.from(x.base64, 'base64').equals(Buffer.from(y.base64, 'base64'));
}

function compares(op: string, a: Value, b: Value, folded: boolean): boolean {
  const fold = (v: Value): Value => (folded && typeof v === 'string' ? v.toLowerCase() : v);
  const [x, y] = [fold(a), fold(b)];
  if (op === '==') return same(x, y);
  if (op === '!=') return !same(x, y);
  if (typeof x === 'string' && typeof y === 'string') {
    if (op === 'BEGINSWITH') return x.slice(0, y.length) === y;
    if (op === 'ENDSWITH') return y === '' || x.slice(-y.length) === y;
    if (op === 'CONTAINS') return x.split(y).length > 1 || y === '';
    if (op === 'LIKE') return like([...x], [...y]);
  }
  const result = order(x, y);
  if (result === undefined) return false;
  return { '<': result < 0, '<=': result <= 0, '>': result > 0, '>=': result >= 0 }[op] ?? false;
}

export function like(text: readonly string[], pattern: readonly string[]): boolean {
  const [p, ...rest] = pattern;
  if (p === undefined) return text.length === 0;
  if (p === '*') return like(text, rest) || (text.length > 0 && like(text.slice(1), pattern));
  return text.length > 0 && (p === '?' || p === text[0]) && like(text.slice(1), rest);
}

function aggregate(fn: string, { values, list }: Walked): Value {
  if (fn === 'count') return count(values, list);
  const numbers = values.filter((v) => fraction(v) !== undefined);
  if (fn === 'min' || fn === 'max') {
    const ordered = numbers.filter((v) => fraction(v) !== 'NaN');
    const dates = values.filter((v) => plain(v)?.[0] === 'date');
    const sorted = (ordered.length > 0 ? ordered : dates).sort((a, b) => order(a, b) ?? 0);
    return sorted.at(fn === 'min' ? 0 : -1) ?? null;
  }
  if (fn === 'avg' && numbers.length === 0) return null;
  // The generated documents only hold numbers whose sums a double holds exactly, so this needs no cleverness.
  const total = numbers.reduce<number>((sum, v) => sum + Number(numeral(v)), 0);
  return fn === 'sum' ? total : total / numbers.length;
}

function count(values: readonly Value[], list: boolean): Value {
  if (list) return values.length;
  const [v = null] = values;
  if (v === null) return 0;
  if (typeof v === 'string') return [...v].length;
  return isDocument(v) ? Object.keys(v).length : null;
}
