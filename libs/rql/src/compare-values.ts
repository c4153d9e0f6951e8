import { type Atom, atomKey, decode } from './atom.ts';
import { compareExact } from './decimal.ts';
import type { Json } from './json.ts';

/** By code point, as MongoDB orders UTF-8. UTF-16 order differs: it puts U+1F600 below U+FFFD. */
export function compareStrings(a: string, b: string): number {
  let index = 0;
  while (index < a.length && a.charCodeAt(index) === b.charCodeAt(index)) index += 1;
  return (a.codePointAt(index) ?? -1) - (b.codePointAt(index) ?? -1);
}

/** Negative, zero, positive; undefined for values that have no order between them (other kinds, NaN, documents). */
export function order(a: Atom, b: Atom): number | undefined {
  if (a.kind === 'number') return b.kind === 'number' ? compareExact(a.value, b.value) : undefined;
  if (a.kind !== b.kind || a.kind === 'binary') return undefined;
  if ('text' in a && 'text' in b) return compareStrings(a.text, b.text);
  if ('value' in a && 'value' in b) return Number(a.value) - Number(b.value);
  return a.kind === 'null' ? 0 : undefined;
}

export function areEqual(a: Atom, b: Atom): boolean {
  if (a.kind !== b.kind || a.kind === 'invalid') return false;
  if (a.kind === 'number') return order(a, b) === 0;
  return atomKey(a) === atomKey(b);
}

export type Ordering = '<' | '<=' | '>' | '>=';

/** Tells whether a comparison that came out as negative, zero, positive or undefined satisfies the operator. */
export function satisfies(operator: Ordering): (result: number | undefined) => boolean {
  const [isLess, isEqual] = [operator.startsWith('<'), operator.endsWith('=')];
  return (result) => (result === 0 ? isEqual : result !== undefined && result < 0 === isLess);
}

const SORTED_KINDS: readonly string[] = ['null', 'boolean', 'number', 'date', 'string'];

/** Orders any two values, for sorting: by kind in this order (a missing field is null), all other kinds behind, by their JSON. */
export function compareForSort(a: Json | undefined, b: Json | undefined): number {
  const [left, right] = [decode(a), decode(b)];
  const difference = rankOf(left) - rankOf(right);
  if (difference !== 0 || SORTED_KINDS.includes(left.kind)) return difference || (order(left, right) ?? 0);
  return compareStrings(JSON.stringify(a), JSON.stringify(b));
}

function rankOf({ kind }: Atom): number {
  const rank = SORTED_KINDS.indexOf(kind);
  return rank < 0 ? SORTED_KINDS.length : rank;
}
