import { type Atom, decode, encodeDate, encodeNumber, isDocument } from './atom.ts';
import { compareExact, type Exact, nearestDouble, sumExact } from './decimal.ts';
import type { Json } from './json.ts';
import { type Document, type Values, valuesUnder } from './paths.ts';
import type { AggregateFunction } from './tree.ts';

/** Computes an aggregate's one value, in normal form. */
export function compileAggregate(path: readonly string[], aggregate: AggregateFunction): (document: Document) => Json {
  if (aggregate === 'count') return (document) => count(valuesUnder(document, path));
  const compute = AGGREGATES[aggregate];
  return (document) => compute(valuesUnder(document, path).values.map(decode));
}

function count({ values, isList }: Values): Json {
  if (isList) return values.length;
  const [value] = values;
  if (value === undefined || value === null) return 0;
  if (typeof value === 'string') return countCharacters(value);
  return isDocument(value) ? Object.keys(value).length : null;
}

function countCharacters(text: string): number {
  let characters = 0;
  for (const _ of text) characters += 1;
  return characters;
}

const AGGREGATES: Readonly<Record<Exclude<AggregateFunction, 'count'>, (atoms: readonly Atom[]) => Json>> = {
  min: (atoms) => extreme(atoms, -1),
  max: (atoms) => extreme(atoms, 1),
  sum: (atoms) => encodeNumber(sum(numbers(atoms))),
  avg: (atoms) => {
    const values = numbers(atoms);
    return values.length === 0 ? null : encodeNumber(mean(values));
  },
};

function numbers(atoms: readonly Atom[]): Exact[] {
  return atoms.flatMap((atom) => (atom.kind === 'number' ? [atom.value] : []));
}

/** Of the numbers, or of the dates when there is no number. */
function extreme(atoms: readonly Atom[], direction: 1 | -1): Json {
  const better = <T extends Exact>(a: T, b: T): T => ((compareExact(a, b) ?? 0) * direction < 0 ? b : a);
  const ordered = numbers(atoms).filter((value) => !Number.isNaN(value));
  if (ordered.length > 0) return encodeNumber(ordered.reduce(better));
  const dates = atoms.flatMap((atom) => (atom.kind === 'date' ? [atom.value] : []));
  return dates.length > 0 ? encodeDate(dates.reduce(better)) : null;
}

/** Doubles add up to the double that is nearest to their exact sum, as in MongoDB: 0.1 + 0.2 + 0.3 is 0.6 in either place. */
function sum(values: readonly Exact[]): Exact {
  // Infinities and NaN have no digits: they decide the result by themselves.
  const special = values.filter((value): value is number => typeof value === 'number' && !Number.isFinite(value));
  if (special.length > 0) return special.reduce((a, b) => a + b);
  const total = sumExact(values);
  return isDoubles(values) ? nearestDouble(total) : total;
}

function mean(values: readonly Exact[]): Exact {
  const total = sum(values);
  const isRounded = isDoubles(values) || !Number.isFinite(nearestDouble(total));
  return isRounded ? nearestDouble(total) / values.length : sumExact(values, values.length);
}

function isDoubles(values: readonly Exact[]): boolean {
  return values.every((value) => typeof value === 'number');
}
