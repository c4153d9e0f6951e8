import { type Atom, atomKey } from './atom.ts';
import { compareExact } from './decimal.ts';
import type { RelationalOperator } from './tree.ts';

/** Units from here on are surrogates (characters above U+FFFF) or sort below them by code point. */
const FIRST_SURROGATE = 0xd800;
const AFTER_SURROGATES = 0xe000;

/** By code point, as MongoDB orders UTF-8. UTF-16 order differs: it puts U+1F600 below U+FFFD. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  if (unit < FIRST_SURROGATE) return unit;
  return unit < AFTER_SURROGATES ? unit + 0x2000 : unit - 0x800;
}

/** Whether comparing with `text` by UTF-16 unit, which engines do natively, gives the order by code point. */
export function isOrderedByUnit(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) >= FIRST_SURROGATE) return false;
  return true;
}

/** Negative, zero, positive; undefined for values that have no order between them (other kinds, NaN, documents). */
export function order(a: Atom, b: Atom): number | undefined {
  if (a.kind !== b.kind) return undefined;
  switch (a.kind) {
    case 'null':
      return 0;
    case 'boolean':
      return b.kind === 'boolean' ? Number(a.value) - Number(b.value) : undefined;
    case 'date':
      return b.kind === 'date' ? a.value - b.value : undefined;
    case 'number':
      return b.kind === 'number' ? compareExact(a.value, b.value) : undefined;
    case 'string':
    case 'oid':
    case 'uuid':
      return b.kind === a.kind ? compareStrings(a.text, b.text) : undefined;
    default:
      return undefined;
  }
}

export function areEqual(a: Atom, b: Atom): boolean {
  if (a.kind !== b.kind || a.kind === 'invalid') return false;
  if (a.kind === 'number') return order(a, b) === 0;
  return atomKey(a) === atomKey(b);
}

export function relate(operator: RelationalOperator, a: Atom, b: Atom): boolean {
  if (operator === '==') return areEqual(a, b);
  if (operator === '!=') return !areEqual(a, b);
  return holds(operator, order(a, b));
}

/** Whether a comparison that came out as `result` satisfies the operator. */
export function holds(operator: '<' | '<=' | '>' | '>=', result: number | undefined): boolean {
  if (result === undefined) return false;
  if (operator === '<') return result < 0;
  if (operator === '<=') return result <= 0;
  return operator === '>' ? result > 0 : result >= 0;
}
